// `npm run model`: checks the model of the protocol, and that each of its guards is needed.
import { parseArgs } from 'node:util';
import { SIZES } from './check-model.ts';
import { reportModel } from './report-model.ts';

const USAGE = `npm run model -- [options]
  --size small|standard   without a crash, or with one anywhere as well; standard when left out
`;

async function main(): Promise<number> {
  const { size } = parseArgs({ options: { size: { type: 'string', default: 'standard' } } }).values;
  if (size !== 'small' && size !== 'standard') {
    process.stderr.write(`--size is "${size}": expected one of ${Object.keys(SIZES).join(', ')}\n${USAGE}`);
    return 2;
  }
  const tallies = await reportModel(size);
  return tallies.every(({ passed }) => passed === 1) ? 0 : 1;
}

process.exitCode = await main();
