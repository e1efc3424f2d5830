// What package bench is compared with: the same contract and messages on
// @ton/sandbox, with its slim configuration. Prints one line of JSON.
//
//   node peer.mjs CODE_BASE64 MILLISECONDS
import { Blockchain, createShardAccount } from '@ton/sandbox';
import { Address, Cell, beginCell, toNano } from '@ton/core';

const code = Cell.fromBase64(process.argv[2]);
const period = Number(process.argv[3]);
const address = (n) => new Address(0, Buffer.alloc(32, n));
const counter = address(100);
const data = beginCell().storeUint(0, 64).endCell();

// rate runs work for a while, after a fifth of that to warm up, and returns how
// often per second.
async function rate(work) {
    for (const [span, counts] of [[period / 5, false], [period, true]]) {
        let n = 0;
        const start = performance.now();
        let now = start;
        for (; now - start < span; now = performance.now()) {
            await work(n++);
        }
        if (counts) return n / (now - start) * 1000;
    }
}

const fresh = await rate(() => Blockchain.create({ config: 'slim' }));

const chain = await Blockchain.create({ config: 'slim' });
await chain.setShardAccount(counter, createShardAccount({ address: counter, code, data, balance: toNano(1000) }));
for (let n = 0; n < 10; n++) await chain.treasury('wallet ' + n);

let sent = 0;
const transactions = await rate(async (n) => {
    const result = await chain.sendMessage({
        info: {
            type: 'internal', ihrDisabled: true, bounce: true, bounced: false, src: address(n % 10), dest: counter,
            value: { coins: toNano('0.05') }, ihrFee: 0n, forwardFee: 0n, createdLt: 0n, createdAt: 0,
        },
        body: beginCell().storeUint(0x7e8764ef, 32).storeUint(n, 64).storeUint(1, 32).endCell(),
    });
    if (result.transactions.length !== 1 || result.transactions[0].description.aborted) throw new Error('not counted');
    sent++;
});
const read = async () => (await chain.runGetMethod(counter, 'currentCounter')).stackReader.readNumber();
if (await read() !== sent) throw new Error('counted wrongly');
const gets = await rate(read);
console.log(JSON.stringify({ fresh, transactions, gets }));
