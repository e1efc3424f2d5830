package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
)

func walletCommand() *cobra.Command {
	return group("wallet", "Make, look at and send from a node's wallet", walletNewCommand(), walletShowCommand(), walletSendCommand())
}

func walletNewCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "new --out FILE --network ID",
		Short: "Make a wallet key and print its address",
		Long: `Makes an Ed25519 key in a file that only you can read. With --encrypt the file is encrypted with a passphrase,
taken from ` + node.PassphraseVariable + ` or asked for. An existing file is never overwritten.`,
		Args: cobra.NoArgs,
	}
	out := c.Flags().StringP("out", "o", "wallet.key", "file to make")
	network := c.Flags().Int32("network", node.MainNetwork, "TON global id, which is part of a wallet's address")
	version := c.Flags().String("version", string(wallet.V5R1), "wallet contract: v5r1 or highload-v3")
	encrypt := c.Flags().Bool("encrypt", false, "encrypt the file with a passphrase")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		key, err := wallet.NewKey()
		if err != nil {
			return err
		}
		w, err := wallet.New(key, wallet.Version(*version), *network)
		if err != nil {
			return err
		}
		var passphrase []byte
		if *encrypt {
			if passphrase, err = askPassphrase(c); err != nil {
				return err
			}
		}
		if err := wallet.SaveKey(*out, key, passphrase); err != nil {
			if errors.Is(err, fs.ErrExist) {
				return hint(err, "name another file with --out, or move the old key away")
			}
			return err
		}
		return printWallet(c, *asJSON, walletInfo{File: *out, Address: w.Address().String(), Raw: w.Address().StringRaw(), Network: *network})
	}
	return c
}

// askPassphrase takes the passphrase from the environment, or twice from the terminal.
func askPassphrase(c *cobra.Command) ([]byte, error) {
	if p := os.Getenv(node.PassphraseVariable); p != "" {
		return []byte(p), nil
	}
	if in, ok := c.InOrStdin().(*os.File); ok && term.IsTerminal(int(in.Fd())) {
		var both [2][]byte
		for i, prompt := range []string{"passphrase: ", "once more: "} {
			fmt.Fprint(c.ErrOrStderr(), prompt)
			var err error
			if both[i], err = term.ReadPassword(int(in.Fd())); err != nil {
				return nil, err
			}
			fmt.Fprintln(c.ErrOrStderr())
		}
		if string(both[0]) != string(both[1]) {
			return nil, errors.New("the passphrases differ")
		}
		if len(both[0]) > 0 {
			return both[0], nil
		}
	}
	return nil, hint(errors.New("no passphrase"), "set %s, or run this in a terminal", node.PassphraseVariable)
}

type walletInfo struct {
	File    string    `json:"file"`
	Address string    `json:"address"`
	Raw     string    `json:"raw"`
	Network int32     `json:"network"`
	Balance *tlb.Nano `json:"balance,omitempty"`
	Status  string    `json:"status,omitempty"`
}

func printWallet(c *cobra.Command, asJSON bool, w walletInfo) error {
	if asJSON {
		return printJSON(c, w)
	}
	out := c.OutOrStdout()
	fmt.Fprintf(out, "file     %s\naddress  %s\nraw      %s\nnetwork  %d\n", w.File, w.Address, w.Raw, w.Network)
	if w.Balance != nil {
		fmt.Fprintf(out, "balance  %s\nstatus   %s\n", *w.Balance, w.Status)
	}
	return nil
}

// openWallet opens the wallet of a configuration file.
func openWallet(cfg node.Config) (wallet.Wallet, error) {
	key, err := wallet.LoadKey(cfg.Wallet.Key, []byte(os.Getenv(node.PassphraseVariable)))
	if err != nil {
		return wallet.Wallet{}, advise(err, cfg)
	}
	return wallet.New(key, wallet.Version(cfg.Wallet.Version), cfg.Network.ID)
}

func walletShowCommand() *cobra.Command {
	c := &cobra.Command{Use: "show --config FILE", Short: "Print a node's wallet and its balance", Args: cobra.NoArgs}
	file, asJSON := configFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := loadConfig(*file)
		if err != nil {
			return err
		}
		w, err := openWallet(cfg)
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
		head, err := chain.Head(ctx)
		if err != nil {
			return err
		}
		acc, err := chain.Account(ctx, head, w.Address())
		if err != nil {
			return err
		}
		return printWallet(c, *asJSON, walletInfo{File: cfg.Wallet.Key, Address: w.Address().String(), Raw: w.Address().StringRaw(),
			Network: cfg.Network.ID, Balance: &acc.Balance, Status: acc.Status.String()})
	}
	return c
}

func walletSendCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "send --config FILE --to ADDRESS --amount AMOUNT",
		Short: "Send coins from a node's wallet while the node is stopped",
		Long: `Sends through the node's own queue, so that nothing is sent twice, whatever is interrupted: run the same
command with the same --id again. The node must be stopped, since one process at a time may use its wallet.`,
		Args: cobra.NoArgs,
	}
	file, asJSON := configFlag(c), jsonFlag(c)
	to := c.Flags().String("to", "", "address to send to (required)")
	amount := c.Flags().String("amount", "", `amount, such as "1.5 TON" (required)`)
	id := c.Flags().String("id", "", "name of this send; the same name never sends twice (default: a random one)")
	for _, name := range []string{"to", "amount"} {
		if err := c.MarkFlagRequired(name); err != nil {
			panic("tussah: internal error: " + err.Error())
		}
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := loadConfig(*file)
		if err != nil {
			return err
		}
		target, err := node.ParseAddress(*to)
		if err != nil {
			return err
		}
		nano, err := tlb.ParseNano(*amount)
		if err != nil {
			return hint(err, `write an amount like "1.5 TON" or "1500000 nano"`)
		}
		if *id == "" {
			*id = "send " + rand.Text()
		}
		return send(c, cfg, *id, contracts.Message{To: target, Amount: nano, Bounce: target.IsBounceable()}, *asJSON)
	}
	return c
}

func send(c *cobra.Command, cfg node.Config, id string, message contracts.Message, asJSON bool) error {
	w, err := openWallet(cfg)
	if err != nil {
		return err
	}
	store, err := node.OpenStore(filepath.Join(cfg.DataDir, "db"), nil)
	if err != nil {
		return advise(err, cfg)
	}
	defer store.Close()
	ctx, stop := context.WithTimeout(c.Context(), closeTimeout)
	defer stop()
	chain, err := openChain(ctx, cfg)
	if err != nil {
		return err
	}
	defer chain.Close()
	queue, err := wallet.NewQueue(w, chain, store.QueueTable(), wallet.Options{})
	if err != nil {
		return err
	}
	running, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- queue.Run(running) }()
	defer func() { end(); <-done }()
	if err := queue.Enqueue(ctx, id, []contracts.Message{message}); err != nil {
		return err
	}
	progress(c)("waiting for the send %q from %s", id, w)
	if _, err := queue.Wait(ctx, id); err != nil {
		return hint(err, "run the same command with --id %q to go on; it will not send twice", id)
	}
	if asJSON {
		return printJSON(c, map[string]any{"id": id, "from": w.Address().StringRaw(), "done": true})
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "done: %q; what was first sent under this name is what was sent\n", id)
	return err
}
