// Builds the web app into a directory: node build.mjs OUT
//
//   OUT/index.html            served for every client-side route, never cached
//   OUT/assets/<name>-<hash>  never changes under one name: cache for a year
//   OUT/manifest.json         every file with type, size and SHA-256, for the gateway and the tests
//   <file>.gz                 the same bytes compressed, beside each file
//
// The same sources give the same bytes. Needs Node 18 and the packages under "dependencies" alone.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const BASE = "/gui/assets/";
const TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
};

const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** esbuild's own part. `theme` stands alone: it must run before the first paint, so it is no module. */
async function bundle(assets) {
    const common = {
        absWorkingDir: HERE,
        bundle: true,
        minify: true,
        metafile: true,
        target: ["chrome123", "firefox120", "safari17.5"],
        legalComments: "none",
        logLevel: "warning",
        outdir: assets,
        entryNames: "[name]-[hash]",
        chunkNames: "[name]-[hash]",
        assetNames: "[name]-[hash]",
        loader: { ".woff2": "file", ".svg": "file" },
        publicPath: BASE,
        define: { "process.env.NODE_ENV": '"production"' },
    };
    const app = await esbuild.build({
        ...common,
        entryPoints: ["src/main.tsx"],
        format: "esm",
        splitting: true,
        jsx: "automatic",
        jsxImportSource: "preact",
    });
    const theme = await esbuild.build({ ...common, entryPoints: ["src/theme-boot.ts"], format: "iife" });
    return [app.metafile, theme.metafile];
}

/** The licence of every package that ended up in the bundle, as their terms ask. */
async function licences(metafiles) {
    const names = new Set();
    for (const file of metafiles.flatMap((m) => Object.keys(m.inputs))) {
        const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file);
        if (match)
            names.add(match[1]);
    }
    const parts = [];
    for (const name of [...names].sort()) {
        const dir = join(HERE, "node_modules", name);
        const about = JSON.parse(await readFile(join(dir, "package.json"), "utf8"));
        const file = (await readdir(dir)).find((f) => /^(licen[cs]e|copying)/i.test(f));
        const text = file ? await readFile(join(dir, file), "utf8") : "";
        parts.push(`${name} ${about.version} (${about.license})\n\n${text.trim()}\n`);
    }
    return parts.join(`\n${"-".repeat(72)}\n\n`);
}

async function writeHashed(assets, name, text) {
    const ext = extname(name);
    const file = `${name.slice(0, -ext.length)}-${hashOf(text).slice(0, 8).toUpperCase()}${ext}`;
    await writeFile(join(assets, file), text);
    return BASE + file;
}

/** Fills the page's template: {{name}} becomes the address of that asset. */
async function page(files, extra) {
    const find = (start, end) => BASE + files.find((f) => f.startsWith(start) && f.endsWith(end));
    const address = {
        ...extra,
        style: find("main-", ".css"),
        main: find("main-", ".js"),
        theme: find("theme-boot-", ".js"),
        font: find("inter-latin-wght-normal-", ".woff2"),
    };
    const html = await readFile(join(HERE, "src/index.html"), "utf8");
    return html.replace(/\{\{(\w+)\}\}/g, (_, name) => address[name]);
}

async function finish(out) {
    const files = [];
    const assets = (await readdir(join(out, "assets"))).sort().map((f) => `assets/${f}`);
    for (const path of ["index.html", ...assets]) {
        const bytes = await readFile(join(out, path));
        const packed = gzipSync(bytes, { level: 9 });
        await writeFile(join(out, `${path}.gz`), packed);
        files.push({
            path,
            type: TYPES[extname(path)],
            bytes: bytes.length,
            gzip: packed.length,
            sha256: hashOf(bytes),
            immutable: path !== "index.html",
        });
    }
    const manifest = JSON.stringify({ version: 1, base: "/gui/", index: "index.html", files }, null, 1) + "\n";
    await writeFile(join(out, "manifest.json"), manifest);
    await writeFile(join(out, "manifest.json.gz"), gzipSync(manifest, { level: 9 }));
    return files;
}

export async function build(out) {
    const assets = join(out, "assets");
    await rm(assets, { recursive: true, force: true });
    await mkdir(assets, { recursive: true });
    const metafiles = await bundle(assets);
    const extra = {
        icon: await writeHashed(assets, "umbel.svg", await readFile(join(HERE, "src/umbel.svg"))),
        licences: await writeHashed(assets, "licences.txt", await licences(metafiles)),
    };
    await writeFile(join(out, "index.html"), await page(await readdir(assets), extra));
    return finish(out);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
    if (!process.argv[2]) {
        console.error("usage: node build.mjs OUT");
        process.exit(2);
    }
    const files = await build(resolve(process.argv[2]));
    for (const f of files.filter((f) => /\.(js|css|html)$/.test(f.path)))
        console.log(`${String(f.gzip).padStart(8)} bytes gzip  ${f.path}`);
}
