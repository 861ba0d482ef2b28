import { type Browser, chromium } from 'playwright-core';
import { debianProgram, findTool } from './tool.ts';

/** A headless browser on this machine's Chromium, installed first where it lacks one; `close()` ends it. */
export async function startChromium(): Promise<Browser> {
  const executablePath = await findTool(debianProgram('chromium', 'chromium'));
  return chromium.launch({
    executablePath,
    // As root, in a container, Chromium's own sandbox cannot start; the tests open pages of their own only.
    args: process.getuid?.() === 0 ? ['--no-sandbox', '--disable-dev-shm-usage'] : [],
  });
}
