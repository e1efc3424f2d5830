package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/p2p"
	"github.com/tussah-network/tussah/tlb"
)

func registryCommand() *cobra.Command {
	return group("registry", "Look at the registry contract", registryShowCommand())
}

// chainTimeout bounds a command that reads the chain.
const chainTimeout = 30 * time.Second

// openChain connects a command to the chain of a configuration file.
func openChain(ctx context.Context, cfg node.Config) (*lite.Client, error) {
	o, err := cfg.Network.Lite()
	if err != nil {
		return nil, err
	}
	chain, err := lite.Open(ctx, o)
	return chain, advise(err, cfg)
}

// registryView is the registry as the command prints it.
type registryView struct {
	Address  string         `json:"address"`
	Owner    string         `json:"owner"`
	Version  uint64         `json:"version"`
	Network  int32          `json:"network"`
	MinStake tlb.Nano       `json:"min_stake"`
	Timelock uint32         `json:"timelock_seconds"`
	Unbond   uint32         `json:"unbonding_seconds"`
	Images   []registryItem `json:"images"`
	Models   []string       `json:"models"`
	Proxies  []registeredAs `json:"proxies"`
}

type registryItem struct {
	Image string `json:"image"`
	Roles string `json:"roles"`
}

type registeredAs struct {
	Owner  string   `json:"owner"`
	Payout string   `json:"payout"`
	Peer   string   `json:"peer"`
	Addrs  []string `json:"addrs"`
	Stake  tlb.Nano `json:"stake"`
	Active bool     `json:"active"`
}

func registryShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "show --config FILE",
		Short: "Print images, models, proxies and parameters, proven from the chain",
		Args:  cobra.NoArgs,
	}
	file, asJSON := configFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := loadConfig(*file)
		if err != nil {
			return err
		}
		ctx, stop := context.WithTimeout(c.Context(), chainTimeout)
		defer stop()
		chain, err := openChain(ctx, cfg)
		if err != nil {
			return err
		}
		defer chain.Close()
		view, err := readRegistry(ctx, chain, cfg)
		if err != nil {
			return advise(err, cfg)
		}
		if *asJSON {
			return printJSON(c, view)
		}
		return view.print(c)
	}
	return c
}

func readRegistry(ctx context.Context, chain *lite.Client, cfg node.Config) (registryView, error) {
	at, err := node.ParseAddress(cfg.Network.Registry)
	if err != nil {
		return registryView{}, err
	}
	head, err := chain.Head(ctx)
	if err != nil {
		return registryView{}, err
	}
	acc, err := chain.Account(ctx, head, at)
	if err != nil {
		return registryView{}, err
	}
	s, err := contracts.ParseRegistry(acc)
	if err != nil {
		return registryView{}, err
	}
	v := registryView{Address: at.StringRaw(), Owner: s.Owner.StringRaw(), Version: s.Version, Network: s.Params.Network,
		MinStake: s.Params.MinStake, Timelock: s.Params.Timelock, Unbond: s.Params.Unbonding,
		Images: []registryItem{}, Models: []string{}, Proxies: []registeredAs{}}
	for image, roles := range s.Images {
		v.Images = append(v.Images, registryItem{hex.EncodeToString(image[:]), roles.String()})
	}
	sort.Slice(v.Images, func(i, j int) bool { return v.Images[i].Image < v.Images[j].Image })
	for _, name := range s.Models {
		v.Models = append(v.Models, name)
	}
	sort.Strings(v.Models)
	for _, p := range s.Proxies {
		peer := hex.EncodeToString(p.PeerID) + " (no peer id)"
		if candidate, err := p2p.ParseCandidate(p.PeerID, p.Addrs, p2p.FromRegistry); err == nil {
			peer = candidate.ID.String()
		}
		v.Proxies = append(v.Proxies, registeredAs{p.Owner.StringRaw(), p.Payout.StringRaw(), peer, p.Addrs, p.Stake, p.Active()})
	}
	return v, nil
}

func (v registryView) print(c *cobra.Command) error {
	w := c.OutOrStdout()
	fmt.Fprintf(w, "registry %s\nowner    %s\nversion  %d on network %d\nstake    at least %s, unbonding %d s\ntimelock %d s\n\n",
		v.Address, v.Owner, v.Version, v.Network, v.MinStake, v.Unbond, v.Timelock)
	var rows [][]string
	for _, i := range v.Images {
		rows = append(rows, []string{i.Image, i.Roles})
	}
	if err := printTable(w, []string{"IMAGE", "ROLES"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nMODELS\n%s\n\n", strings.Join(v.Models, "\n"))
	rows = nil
	for _, p := range v.Proxies {
		state := "active"
		if !p.Active {
			state = "unbonding"
		}
		rows = append(rows, []string{p.Peer, strings.Join(p.Addrs, " "), p.Stake.String(), state})
	}
	return printTable(w, []string{"PROXY", "ADDRESSES", "STAKE", "STATE"}, rows)
}
