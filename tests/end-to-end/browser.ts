import { findChromium } from '@accepted/testing/find-program';
import { type Browser, chromium } from 'playwright-core';

/** Starts a headless Chromium that also runs as root, and asks nobody for updates. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('This test needs a chromium or google-chrome on the PATH');
  return await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
