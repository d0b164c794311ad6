import { checkSupplyChain } from './check-supply-chain.ts';

/** `npm run supply-chain`: the part of `npm test` that may be red tomorrow without a change of ours. */
const tallies = await checkSupplyChain();
process.exitCode = tallies.some(({ failed }) => failed > 0) ? 1 : 0;
