// A real steward for one test: its own directory, database and port.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, openSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const sleep = ms => new Promise(go => setTimeout(go, ms));

export function freePort() {
  return new Promise((done, fail) => {
    const s = createServer().once('error', fail).listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => done(port));
    });
  });
}

// fetch() does not let one set Host or Origin; this does.  → { status, headers, body }
export function http(port, { method = 'GET', path = '/', headers = {}, body } = {}) {
  return new Promise((done, fail) => {
    const r = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, reply => {
      let text = '';
      reply.setEncoding('utf8');
      reply.on('data', d => { text += d; });
      reply.on('end', () => done({ status: reply.statusCode, headers: reply.headers, body: text }));
    });
    r.on('error', fail);
    r.end(body);
  });
}

export class Steward {
  constructor(binary, env = {}) {
    this.binary = binary;
    this.env = env;
    this.dir = mkdtempSync(join(tmpdir(), 'steward-browser-'));
  }

  async start() {
    this.port ??= await freePort();
    const log = openSync(join(this.dir, 'log'), 'a');
    this.child = spawn(this.binary, ['serve'], {
      cwd: this.dir,
      stdio: ['ignore', log, log],
      env: { PATH: process.env.PATH, HOME: this.dir, ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '', BIND: '127.0.0.1', PORT: String(this.port),
        LSAN_OPTIONS: process.env.LSAN_OPTIONS ?? '', TSAN_OPTIONS: process.env.TSAN_OPTIONS ?? '',
        DATABASE_URL: `sqlite://${this.dir}/steward.db`, TZ: 'Europe/Berlin', ...this.env },
    });
    const child = this.child;
    process.once('exit', () => child.kill('SIGKILL')); // when the test itself fails; no effect on one that has ended
    this.ended = new Promise(done => this.child.once('exit', (code, signal) => done(signal ?? code)));
    for (let i = 0; i < 300; i++) {
      const reply = await http(this.port, { path: '/health' }).catch(() => null);
      if (reply?.status === 200) return this;
      if (this.child.exitCode !== null) break;
      await sleep(50);
    }
    throw new Error(`steward did not start; see ${this.dir}/log`);
  }

  // → exit code, or the signal's name
  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    return this.ended;
  }

  remove() { rmSync(this.dir, { recursive: true, force: true }); }
  get url() { return `http://127.0.0.1:${this.port}/`; }
}
