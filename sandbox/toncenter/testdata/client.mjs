// Drives a served chain with @ton/ton's TonClient, unmodified, and checks what
// it makes of the answers. Prints the name of each step, and fails on the first
// that is wrong.
//
// Environment: ENDPOINT, the JSON-RPC URL; COUNTER, the counter's code in
// base64. The wallets of seeds 1 (v4) and 2 (v5) have coins and no code yet.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.cwd(), 'package.json'));
const { TonClient, WalletContractV4, WalletContractV5R1 } = require('@ton/ton');
const { Address, beginCell, Cell, contractAddress, external, internal, storeMessage, SendMode, toNano } = require('@ton/core');
const { keyPairFromSeed } = require('@ton/crypto');

const client = new TonClient({ endpoint: process.env.ENDPOINT });
const counterCode = Cell.fromBase64(process.env.COUNTER);

async function step(name, f) {
    await f();
    console.log('ok', name);
}

async function fails(promise, pattern) {
    try {
        await promise;
    } catch (e) {
        const text = JSON.stringify(e.response?.data ?? e.message);
        assert.match(text, pattern);
        return;
    }
    assert.fail('did not fail');
}

async function until(what, condition) {
    for (let i = 0; i < 100; i++) {
        if (await condition()) return;
        await new Promise((done) => setTimeout(done, 50));
    }
    assert.fail(`waited in vain: ${what}`);
}

const alice = { key: keyPairFromSeed(Buffer.alloc(32, 1)) };
const bob = { key: keyPairFromSeed(Buffer.alloc(32, 2)) };
alice.wallet = client.open(WalletContractV4.create({ workchain: 0, publicKey: alice.key.publicKey }));
bob.wallet = client.open(WalletContractV5R1.create({ workchain: 0, publicKey: bob.key.publicKey }));

async function transfer(who, messages) {
    const seqno = await who.wallet.getSeqno();
    await who.wallet.sendTransfer({
        seqno, secretKey: who.key.secretKey, messages, sendMode: SendMode.PAY_GAS_SEPARATELY | SendMode.IGNORE_ERRORS,
    });
    await until('seqno', async () => (await who.wallet.getSeqno()) === seqno + 1);
}

const init = { code: counterCode, data: beginCell().storeUint(5, 64).endCell() };
const counter = contractAddress(0, init);

await step('getBalance', async () => {
    assert.equal(await client.getBalance(alice.wallet.address), toNano(100));
    assert.equal(await client.getBalance(counter), 0n);
});

await step('isContractDeployed, getContractState before', async () => {
    assert.equal(await client.isContractDeployed(alice.wallet.address), false);
    const state = await client.getContractState(alice.wallet.address);
    assert.equal(state.state, 'uninitialized');
    assert.equal(state.code, null);
    assert.equal(state.lastTransaction, null);
});

await step('estimateExternalMessageFee of a deployment', async () => {
    const body = await alice.wallet.createTransfer({
        seqno: 0, secretKey: alice.key.secretKey, messages: [internal({ to: bob.wallet.address, value: toNano(1), bounce: false })],
        sendMode: SendMode.PAY_GAS_SEPARATELY,
    });
    const fees = await client.estimateExternalMessageFee(alice.wallet.address, {
        body, initCode: alice.wallet.init.code, initData: alice.wallet.init.data, ignoreSignature: true,
    });
    for (const name of ['in_fwd_fee', 'gas_fee', 'fwd_fee']) {
        assert.ok(fees.source_fees[name] > 0, `${name} is ${fees.source_fees[name]}`);
    }
});

await step('deploy v4 by external message, transfer with comment', async () => {
    await transfer(alice, [internal({ to: bob.wallet.address, value: toNano(3), bounce: false, body: 'hello' })]);
    assert.equal(await client.isContractDeployed(alice.wallet.address), true);
    const balance = await client.getBalance(bob.wallet.address); // less some nanoTON for storage
    assert.ok(balance > toNano('102.9999') && balance <= toNano(103), `${balance}`);
    const state = await client.getContractState(alice.wallet.address);
    assert.deepEqual(Cell.fromBoc(state.code)[0].hash(), alice.wallet.init.code.hash());
});

await step('deploy v5, and a counter with its StateInit', async () => {
    await transfer(bob, [internal({ to: counter, value: toNano(1), bounce: false, init })]);
    await until('deployment', () => client.isContractDeployed(counter));
});

const get = async (name, args = []) => (await client.runMethod(counter, name, args)).stack;

await step('runMethod', async () => {
    assert.equal((await get('counter')).readBigNumber(), 6n); // deployed with 5, and the deployment counts
});

await step('runMethod with number, cell and slice', async () => {
    const some = beginCell().storeUint(0xabcd, 16).storeRef(beginCell().storeAddress(counter).endCell()).endCell();
    const address = beginCell().storeAddress(bob.wallet.address).endCell();
    const stack = await get('echo', [
        { type: 'int', value: -(2n ** 256n) }, { type: 'int', value: 255n }, { type: 'cell', cell: some }, { type: 'slice', cell: address },
    ]);
    assert.equal(stack.readBigNumber(), -(2n ** 256n));
    assert.equal(stack.readBigNumber(), 255n);
    assert.deepEqual(stack.readCell().hash(), some.hash());
    assert.ok(stack.readAddress().equals(bob.wallet.address));
});

await step('runMethod that returns tuple, list and null', async () => {
    const stack = await get('shapes');
    const pair = stack.readTuple(); // what is inside a tuple this client does not type
    assert.deepEqual([...Array(2)].map(() => pair.pop()), [1n, 2n]);
    const list = stack.readTuple();
    assert.deepEqual([...Array(2)].map(() => list.pop()), [1n, 2n]);
    assert.equal(stack.readBigNumberOpt(), null);
    assert.equal(stack.readBigNumber(), -1n);
});

await step('runMethodWithError, callGetMethodWithError', async () => {
    assert.equal((await client.runMethodWithError(counter, 'fails')).exit_code, 42);
    assert.equal((await client.callGetMethodWithError(counter, 'no_such_method')).exit_code, 11);
    assert.equal((await client.runMethodWithError(contractAddress(0, { code: counterCode, data: counterCode }), 'seqno')).exit_code, -13);
    await fails(get('fails'), /exit_code: 42/);
});

await step('sendExternalMessage, provider', async () => {
    await client.sendExternalMessage({ address: counter }, beginCell().storeUint(1, 8).endCell());
    assert.equal((await get('counter')).readBigNumber(), 7n);
    const provider = client.provider(counter, init);
    await provider.external(beginCell().endCell());
    assert.equal((await provider.get('counter', [])).stack.readBigNumber(), 8n);
    assert.equal((await provider.getState()).state.type, 'active');
});

await step('a refused message', async () => {
    const body = await alice.wallet.createTransfer({ seqno: 99, secretKey: alice.key.secretKey, messages: [] });
    await fails(
        client.sendExternalMessage(alice.wallet, body),
        /LITE_SERVER_UNKNOWN: cannot apply external message to current state : External message was not accepted.*exitcode=33/s,
    );
    await fails(client.sendFile(Buffer.from('not cells')), /INVALID_BAG_OF_CELLS/);
});

await step('estimateExternalMessageFee with a signature, and without', async () => {
    const seqno = await alice.wallet.getSeqno();
    const create = (key) => alice.wallet.createTransfer({
        seqno, secretKey: key, messages: [internal({ to: counter, value: 1n, body: 'x' })],
    });
    const estimate = (body, ignoreSignature) => client.estimateExternalMessageFee(alice.wallet.address, {
        body, initCode: null, initData: null, ignoreSignature,
    });
    const good = await estimate(await create(alice.key.secretKey), false);
    assert.ok(good.source_fees.gas_fee > 0);
    const forged = await create(bob.key.secretKey);
    assert.equal((await estimate(forged, false)).source_fees.gas_fee, 0); // not accepted
    assert.equal((await estimate(forged, true)).source_fees.gas_fee, good.source_fees.gas_fee);
});

await step('getTransactions, page by page', async () => {
    for (let i = 0; i < 5; i++) {
        await client.sendExternalMessage({ address: counter }, beginCell().storeUint(i, 32).endCell());
    }
    const all = await client.getTransactions(counter, { limit: 100 });
    assert.equal(all.length, 8);
    const paged = [];
    let from = {};
    for (;;) {
        const page = await client.getTransactions(counter, { limit: 3, ...from });
        if (page.length === 0) break;
        assert.ok(page.length <= 3);
        paged.push(...page);
        const last = page.at(-1);
        from = { lt: last.lt.toString(), hash: last.hash().toString('base64') };
    }
    assert.deepEqual(paged.map((t) => t.lt), all.map((t) => t.lt));
    const recent = await client.getTransactions(counter, { limit: 100, to_lt: all[2].lt.toString() });
    assert.deepEqual(recent.map((t) => t.lt), all.slice(0, 2).map((t) => t.lt));
    const inclusive = await client.getTransactions(counter, {
        limit: 1, lt: all[3].lt.toString(), hash: all[3].hash().toString('base64'), inclusive: true, archival: true,
    });
    assert.equal(inclusive[0].lt, all[3].lt);
});

await step('getTransaction', async () => {
    const [tx] = await client.getTransactions(counter, { limit: 1 });
    const same = await client.getTransaction(counter, tx.lt.toString(), tx.hash().toString('base64'));
    assert.deepEqual(same.hash(), tx.hash());
});

await step('tryLocateResultTx, tryLocateSourceTx', async () => {
    const received = (await client.getTransactions(bob.wallet.address, { limit: 100 })).find((t) => t.inMessage.info.type === 'internal');
    const lt = received.inMessage.info.createdLt.toString();
    const result = await client.tryLocateResultTx(alice.wallet.address, bob.wallet.address, lt);
    assert.deepEqual(result.hash(), received.hash());
    const source = await client.tryLocateSourceTx(alice.wallet.address, bob.wallet.address, lt);
    assert.equal(source.inMessage.info.type, 'external-in');
    assert.equal(source.outMessages.values()[0].info.createdLt.toString(), lt);
    await fails(client.tryLocateResultTx(bob.wallet.address, alice.wallet.address, lt), /404|not found/);
});

await step('getMasterchainInfo, getWorkchainShards, getShardTransactions', async () => {
    const info = await client.getMasterchainInfo();
    assert.equal(info.workchain, -1);
    assert.equal(info.shard, '-9223372036854775808');
    let seen = 0;
    for (let seqno = 1; seqno <= info.latestSeqno; seqno++) {
        for (const shard of await client.getWorkchainShards(seqno)) {
            assert.equal(shard.workchain, 0);
            if (shard.seqno === 0) continue; // nothing yet
            for (const tx of await client.getShardTransactions(shard.workchain, shard.seqno, shard.shard)) {
                if (tx.account.equals(counter)) seen++;
            }
        }
    }
    assert.ok(seen >= 8, `saw ${seen} transactions of the counter`);
});

await step('getTransactions of an account without any', async () => {
    const nobody = Address.parse('EQDtFpEwcFAEcRe5mLVh2N6C0x-_hJEM7W61_JLnSF74p4q2');
    assert.deepEqual(await client.getTransactions(nobody, { limit: 10 }), []);
});

await step('sendMessage', async () => {
    const message = external({ to: counter, body: beginCell().storeUint(7, 16).endCell() });
    const before = (await get('counter')).readBigNumber();
    await client.sendMessage(message);
    assert.equal((await get('counter')).readBigNumber(), before + 1n);
    assert.ok(beginCell().store(storeMessage(message)).endCell().bits.length > 0);
});
