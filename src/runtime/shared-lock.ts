interface Waiting {
  readonly exclusive: boolean;
  readonly grant: () => void;
}

/** Many tasks that may share, or one that wants to be alone; first come, first served. */
export class SharedLock {
  #sharing = 0;
  #alone = false;
  readonly #waiting: Waiting[] = [];

  /** Runs `task` beside others that share. */
  async shared<T>(task: () => Promise<T>): Promise<T> {
    await this.#enter(false);
    try {
      return await task();
    } finally {
      this.#sharing -= 1;
      this.#grantWaiting();
    }
  }

  /** Runs `task` while no other one runs. */
  async exclusive<T>(task: () => Promise<T>): Promise<T> {
    await this.#enter(true);
    try {
      return await task();
    } finally {
      this.#alone = false;
      this.#grantWaiting();
    }
  }

  async #enter(exclusive: boolean): Promise<void> {
    const granted = new Promise<void>((grant) => this.#waiting.push({ exclusive, grant }));
    this.#grantWaiting();
    await granted;
  }

  #grantWaiting(): void {
    for (let next = this.#waiting[0]; next && this.#isFree(next.exclusive); next = this.#waiting[0]) {
      this.#waiting.shift();
      if (next.exclusive) this.#alone = true;
      else this.#sharing += 1;
      next.grant();
    }
  }

  #isFree(exclusive: boolean): boolean {
    return !this.#alone && (!exclusive || this.#sharing === 0);
  }
}
