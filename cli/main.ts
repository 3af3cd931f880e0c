#!/usr/bin/env node
// Written for old versions of Node.js, too: all that they may not understand is imported after the check.
const OLDEST = 20;

if (Number(process.versions.node.split('.')[0]) < OLDEST) {
  process.stderr.write(
    `bitcell: Node.js ${process.versions.node} is too old: install version ${OLDEST} or later\n`,
  );
  process.exitCode = 1;
} else {
  // As `npm run build:bundle` joins it: from single files the start takes twice as long.
  import(new URL('../bundle/cli/program.js', import.meta.url).href)
    .then(({ runProgram }: typeof import('./program.js')) => runProgram())
    .catch((error) => {
      // Node.js opens all modules of a graph at once.
      process.stderr.write(
        error.code === 'EMFILE'
          ? 'bitcell: Too many open files: allow more with `ulimit -n 1024`\n'
          : `bitcell: Cannot load Bitcell: ${error.message}: install it again\n`,
      );
      process.exitCode = 1;
    });
}
