package tolk_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/tussah-network/tussah/contracts/tolk"
)

// Not run by go test, as the first Open fetches the compiler.
func ExampleCompiler_Compile() {
	ctx := context.Background()
	compiler, err := tolk.Open(ctx, tolk.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer compiler.Close()

	result, err := compiler.Compile(ctx, os.DirFS("contracts"), "channel.tolk")
	if err != nil {
		log.Fatal(err) // channel.tolk:12:5: undefined symbol `foo`
	}
	fmt.Printf("%x %d bytes, by Tolk %s\n", result.Hash, len(result.Code), result.Version)
}
