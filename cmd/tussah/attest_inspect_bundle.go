package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/collateral"
)

func inspectBundle(text []byte) (description, error) {
	sets, err := collateral.ParseBundle(bytes.NewReader(text))
	if err != nil {
		if bytes.Contains(text, []byte(`"evidences"`)) {
			return description{}, errNotThis
		}
		return description{}, err
	}
	d := description{Kind: fmt.Sprintf("bundle of collateral with %d set(s)", len(sets))}
	for i, c := range sets {
		part := description{Kind: fmt.Sprintf("set %d", i+1)}
		var tcb struct {
			TCBInfo struct {
				FMSPC      string    `json:"fmspc"`
				Evaluation int       `json:"tcbEvaluationDataNumber"`
				IssueDate  time.Time `json:"issueDate"`
				NextUpdate time.Time `json:"nextUpdate"`
				Levels     []struct {
					Status string `json:"tcbStatus"`
				} `json:"tcbLevels"`
			} `json:"tcbInfo"`
		}
		if err := json.Unmarshal(c.TCBInfo, &tcb); err != nil {
			part.Says.add("TCB info", "cannot be read: %v", err)
		} else {
			part.Says.add("FMSPC", "%s", strings.ToLower(tcb.TCBInfo.FMSPC))
			part.Says.add("TCB info", "evaluation %d, in force %s, %d levels", tcb.TCBInfo.Evaluation,
				span(tcb.TCBInfo.IssueDate, tcb.TCBInfo.NextUpdate), len(tcb.TCBInfo.Levels))
		}
		for _, list := range []struct {
			name string
			der  []byte
		}{{"root CRL", c.RootCRL}, {"PCK CRL", c.PCKCRL}} {
			crl, err := x509.ParseRevocationList(list.der)
			if err != nil {
				part.Says.add(list.name, "cannot be read: %v", err)
				continue
			}
			part.Says.add(list.name, "number %s, in force %s, revokes %d", crl.Number, span(crl.ThisUpdate, crl.NextUpdate), len(crl.RevokedCertificateEntries))
		}
		d.Parts = append(d.Parts, part)
	}
	return d, nil
}
