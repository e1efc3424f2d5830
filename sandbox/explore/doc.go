// Package explore finds what tests of contracts miss: that messages arrive in
// another order, and that somebody sends what nobody thought of.
//
// # Every order
//
// [Run] runs a scenario under every order in which its messages can be
// delivered:
//
//	explore.Run(t, explore.Options{Chain: sandbox.Options{Genesis: contracts}}, func(t *explore.T, chain *sandbox.Chain) {
//		err := explore.Together(chain, func() error {
//			return errors.Join(chain.Post(ctx, buy), chain.Post(ctx, raisePrice))
//		})
//		…
//	})
//
// How it goes about it:
//
//  1. Each run has a chain of its own, which asks at each delivery which
//     message is next (sandbox.Options.Order, run.go).
//  2. A depth-first search (search.go) answers. It leaves out orders that can
//     make no difference: those that only swap deliveries to different accounts.
//     With Options.Full it leaves out none. When they are too many, half of the
//     runs go to random ones.
//  3. A run that fails is told with the tree of its deliveries and one number
//     (path.go); TUSSAH_ORDER=number go test has it again.
//
// Messages from one account to another keep their order, a message follows the
// transaction that sent it, external ones come in any order. All such orders
// can happen on a network with enough shards and load. Not the same there: a
// contract that reads logical time or block numbers sees others, a message may
// take long enough for time to pass, and messages between the masterchain and
// the basechain, which are not reordered here, can be late too.
//
// # Anything sent
//
// [Check] sends random messages made from the contracts' ABI, and junk, from
// people of all kinds, moves time and repeats itself, and checks invariants
// after each step (check.go, plan.go). What breaks one is cut down to the few
// steps it takes (shrink.go) and told with a seed; TUSSAH_SEED=seed go test has
// it again. [Value] and [Calls] are the generators behind it, for tests that
// use rapid themselves; rapid's T is the one foreign type in this package's
// signatures, since it is the language generators are written in.
//
// # What always holds
//
//   - A scenario that does the same each time is explored to the end, or the
//     [Result] says that it was not.
//   - With the reduction or without, the same states are reached: a test
//     compares them on networks at random.
//   - The same number or seed leads to the same run. Clocks stand still unless
//     they are moved.
//
// Start reading at run.go, then search.go; or at model.go, then check.go.
package explore
