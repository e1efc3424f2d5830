package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/node"
)

func channelCommand() *cobra.Command {
	return group("channel", "Look at and close the payment channels of a running node", channelListCommand(), channelShowCommand(), channelCloseCommand())
}

// closeTimeout is some blocks of a slow chain.
const closeTimeout = 3 * time.Minute

// callAdmin asks the admin listener of the node that a configuration describes.
func callAdmin(ctx context.Context, file, method, path string, answer any) error {
	cfg, err := loadConfig(file)
	if err != nil {
		return err
	}
	if cfg.Admin.Listen == "" {
		return hint(errors.New("the node has no admin listener"), "set admin.listen in %s", file)
	}
	ctx, stop := context.WithTimeout(ctx, closeTimeout)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+cfg.Admin.Listen+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return hint(fmt.Errorf("reach the node: %w", err), "is it running? tussah %s --config %s", cfg.Role(), file)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		var problem struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(body, &problem) != nil || problem.Error == "" {
			problem.Error = response.Status
		}
		return errors.New(problem.Error)
	}
	return json.Unmarshal(body, answer)
}

func printChannels(c *cobra.Command, channels []node.Channel, asJSON bool) error {
	if asJSON {
		return printJSON(c, channels)
	}
	var rows [][]string
	for _, ch := range channels {
		rows = append(rows, []string{ch.Channel, ch.End, ch.Phase, ch.Deposit.String(), ch.Authorised.String(), ch.Spent.String(), ch.Settled.String()})
	}
	return printTable(c.OutOrStdout(), []string{"CHANNEL", "END", "PHASE", "DEPOSIT", "AUTHORISED", "SPENT", "SETTLED"}, rows)
}

func channelListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list --config FILE", Short: "List the channels of a running node", Args: cobra.NoArgs}
	file, asJSON := configFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		var channels []node.Channel
		if err := callAdmin(c.Context(), *file, http.MethodGet, "/channels", &channels); err != nil {
			return err
		}
		return printChannels(c, channels, *asJSON)
	}
	return c
}

func channelShowCommand() *cobra.Command {
	c := &cobra.Command{Use: "show --config FILE CHANNEL", Short: "Show one channel of a running node", Args: cobra.ExactArgs(1)}
	file, asJSON := configFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		at, err := node.ParseAddress(args[0])
		if err != nil {
			return err
		}
		var channels []node.Channel
		if err := callAdmin(c.Context(), *file, http.MethodGet, "/channels", &channels); err != nil {
			return err
		}
		for _, ch := range channels {
			if ch.Channel != at.StringRaw() {
				continue
			}
			if *asJSON {
				return printJSON(c, ch)
			}
			fmt.Fprintf(c.OutOrStdout(), "channel     %s\npeer        %s\nend         %s\nphase       %s\ndeposit     %s\nauthorised  %s\nspent       %s\nsettled     %s\nrunning     %d requests\n",
				ch.Channel, ch.Peer, ch.End, ch.Phase, ch.Deposit, ch.Authorised, ch.Spent, ch.Settled, ch.Running)
			return nil
		}
		return hint(fmt.Errorf("the node has no channel at %s", at), "tussah channel list --config %s", *file)
	}
	return c
}

func channelCloseCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "close --config FILE CHANNEL",
		Short: "Settle a channel: a payer closes it, a payee claims",
		Long: `At the paying end, asks the payee to agree to what was spent and closes the channel at once. With --force,
or when the payee is gone, asks the contract: the remainder comes back after the close delay (run it again then). No new
channel is opened in its place until the node is restarted. At the earning end, claims on chain all that the payer
authorised, which may be more than was spent.`,
		Args: cobra.ExactArgs(1),
	}
	file, asJSON := configFlag(c), jsonFlag(c)
	force := c.Flags().Bool("force", false, "close without the payee's consent")
	c.RunE = func(c *cobra.Command, args []string) error {
		at, err := node.ParseAddress(args[0])
		if err != nil {
			return err
		}
		var channels []node.Channel
		path := "/channels/" + url.PathEscape(at.StringRaw()) + "/close"
		if *force {
			path += "?force=true"
		}
		if err := callAdmin(c.Context(), *file, http.MethodPost, path, &channels); err != nil {
			return err
		}
		return printChannels(c, channels, *asJSON)
	}
	return c
}
