package session

import (
	"errors"
	"testing"
)

func TestOrder(t *testing.T) {
	head := Head{Status: 200}
	for name, c := range map[string]struct {
		said []Event
		want error
	}{
		"served":                        {[]Event{Accepted{}, head, Part{Spent: 1}, Part{Spent: 1}, Done{Cost: 1}}, nil},
		"served without parts":          {[]Event{Accepted{}, head, Done{}}, nil},
		"vouchers needed at every step": {[]Event{NeedVoucher{}, Accepted{}, NeedVoucher{}, head, NeedVoucher{Spent: 1}, Part{Spent: 2}, Done{}}, nil},
		"final cost below the estimate": {[]Event{Accepted{}, head, Part{Spent: 9}, Done{Cost: 8}}, nil},
		"refused at once":               {[]Event{Failed{}}, nil},
		"failed after admission":        {[]Event{Accepted{}, Failed{}}, nil},
		"failed in mid-answer":          {[]Event{Accepted{}, head, Part{}, Failed{}}, nil},
		"head before admission":         {[]Event{head}, ErrOrder},
		"part before admission":         {[]Event{Part{}}, ErrOrder},
		"part before head":              {[]Event{Accepted{}, Part{}}, ErrOrder},
		"done before admission":         {[]Event{Done{}}, ErrOrder},
		"done before head":              {[]Event{Accepted{}, Done{}}, ErrOrder},
		"admitted twice":                {[]Event{Accepted{}, Accepted{}}, ErrOrder},
		"admitted after head":           {[]Event{Accepted{}, head, Accepted{}}, ErrOrder},
		"two heads":                     {[]Event{Accepted{}, head, head}, ErrOrder},
		"head after part":               {[]Event{Accepted{}, head, Part{}, head}, ErrOrder},
		"spent falls":                   {[]Event{Accepted{}, head, Part{Spent: 2}, Part{Spent: 1}}, ErrOrder},
		"spent falls in a demand":       {[]Event{Accepted{}, head, Part{Spent: 2}, NeedVoucher{Spent: 1}}, ErrOrder},
		"done twice":                    {[]Event{Accepted{}, head, Done{}, Done{}}, ErrEnded},
		"failed twice":                  {[]Event{Failed{}, Failed{}}, ErrEnded},
		"failed after done":             {[]Event{Accepted{}, head, Done{}, Failed{}}, ErrEnded},
		"part after done":               {[]Event{Accepted{}, head, Done{}, Part{}}, ErrEnded},
		"demand after the end":          {[]Event{Failed{}, NeedVoucher{}}, ErrEnded},
	} {
		var o order
		var err error
		for i, e := range c.said {
			if o, err = o.step(e); err != nil && i < len(c.said)-1 {
				t.Errorf("%s: event %d: %v", name, i, err)
			}
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
