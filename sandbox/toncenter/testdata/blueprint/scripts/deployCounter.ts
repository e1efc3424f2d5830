// What a contract developer writes: deploy, wait, ask, send, wait.
import { beginCell, Cell, contractAddress, Contract, ContractProvider, Sender, toNano } from '@ton/core';
import { NetworkProvider } from '@ton/blueprint';

class Counter implements Contract {
    constructor(
        readonly address: ReturnType<typeof contractAddress>,
        readonly init: { code: Cell; data: Cell },
    ) {}

    static create(code: Cell, count: number) {
        const init = { code, data: beginCell().storeUint(count, 64).endCell() };
        return new Counter(contractAddress(0, init), init);
    }

    async sendDeploy(provider: ContractProvider, via: Sender, value: bigint) {
        await provider.internal(via, { value, body: beginCell().endCell() });
    }

    async sendIncrease(provider: ContractProvider, via: Sender, value: bigint) {
        await provider.internal(via, { value, body: 'increase' });
    }

    async getCounter(provider: ContractProvider) {
        return (await provider.get('counter', [])).stack.readBigNumber();
    }
}

export async function run(provider: NetworkProvider) {
    const counter = provider.open(Counter.create(Cell.fromBase64(process.env.COUNTER!), 40));
    await counter.sendDeploy(provider.sender(), toNano('0.5'));
    await provider.waitForDeploy(counter.address, 20, 100);
    console.log(`network ${provider.network()}`);
    console.log(`deployed with ${await counter.getCounter()}`);

    await counter.sendIncrease(provider.sender(), toNano('0.1'));
    for (let i = 0; (await counter.getCounter()) !== 42n; i++) {
        if (i === 50) throw new Error('the count does not rise');
        await new Promise((done) => setTimeout(done, 100));
    }
    console.log(`increased to ${await counter.getCounter()}`);
    const api = provider.api() as { getTransactions(a: unknown, o: object): Promise<unknown[]> };
    console.log(`transactions ${(await api.getTransactions(counter.address, { limit: 10, archival: true })).length}`);
}
