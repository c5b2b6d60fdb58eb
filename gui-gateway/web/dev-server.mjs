// DEVELOPMENT ONLY: the app against a stock Hocuspocus server and an in-memory copy of the gateway's routes.
// Any user signs in with the password "umbel"; nothing is stored; nothing here is hardened.
//
//   node dev-server.mjs [PORT]         builds, serves http://127.0.0.1:PORT/gui/ (default 5173)
//   POST /dev/outage?ms=3000           sockets closed, REST answers 503 for that long
//   POST /dev/expire                   all sessions end
//   POST /dev/readonly?on=1            documents opened from now on are read-only
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server } from "@hocuspocus/server";
import { build } from "./build.mjs";

const PORT = Number(process.argv[2] ?? 5173);
const OUT = join(tmpdir(), `umbel-web-dev-${PORT}`);
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    + "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; object-src 'none'";

const files = new Map((await build(OUT)).map((file) => [file.path, file]));
const sessions = new Map();
const docs = new Map();
let awayUntil = 0;
let readonly = false;
let wrongLogins = 0;

function addDoc(title, user) {
    const now = new Date().toISOString();
    const name = randomBytes(9).toString("base64url");
    docs.set(name, { name, title, createdAt: now, updatedAt: now, updatedBy: user, bytes: 0 });
    return name;
}

const sessionOf = (headers) => sessions.get(/(?:^|; )SESSION=(\w+)/.exec(headers.cookie ?? headers.get?.("cookie") ?? "")?.[1]);
const view = (doc) => ({ ...doc, connections: server.hocuspocus.documents.get(doc.name)?.getConnectionsCount() ?? 0 });

function answer(response, status, body, headers = {}) {
    response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
}

const refuse = (response, status, code, message, headers) => answer(response, status, { code, message, requestId: "dev" }, headers);

async function bodyOf(request) {
    const parts = [];
    for await (const part of request)
        parts.push(part);
    return JSON.parse(Buffer.concat(parts).toString() || "{}");
}

async function session(request, response) {
    if (request.method === "POST") {
        const { user, password } = await bodyOf(request);
        if (password !== "umbel" && ++wrongLogins % 4 === 0)
            return refuse(response, 429, "too-many-attempts", "Too many attempts", { "Retry-After": "5" });
        if (password !== "umbel")
            return refuse(response, 401, "bad-credentials", "Wrong user or password");
        const id = randomBytes(16).toString("hex");
        const mine = { user, displayName: user, profiles: ["USER"], csrf: randomBytes(8).toString("hex") };
        sessions.set(id, mine);
        return answer(response, 200, mine, { "Set-Cookie": `SESSION=${id}; Path=/; HttpOnly; SameSite=Lax` });
    }
    const mine = sessionOf(request.headers);
    if (!mine)
        return refuse(response, 401, "signed-out", "No session");
    if (request.method === "GET")
        return answer(response, 200, mine);
    sessions.forEach((value, id) => value === mine && sessions.delete(id));
    return answer(response, 204, undefined, { "Set-Cookie": "SESSION=; Path=/; Max-Age=0" });
}

function list(response, query) {
    const search = (query.get("search") ?? "").toLowerCase();
    const found = [...docs.values()].filter((doc) => doc.title.toLowerCase().includes(search))
        .sort((a, b) => b.updatedAt.localeCompare(a.updatedAt));
    const from = Number(query.get("after") ?? 0);
    const to = from + Number(query.get("max") ?? 50);
    answer(response, 200, {
        found: found.length,
        results: found.slice(from, to).map(view),
        after: to < found.length ? String(to) : null,
    });
}

async function documents(request, response, url, name) {
    const mine = sessionOf(request.headers);
    if (!mine)
        return refuse(response, 401, "signed-out", "No session");
    if (request.method !== "GET" && request.headers["x-csrf-token"] !== mine.csrf)
        return refuse(response, 403, "csrf", "Token missing");
    if (!name)
        return request.method === "GET"
            ? list(response, url.searchParams)
            : answer(response, 201, view(docs.get(addDoc((await bodyOf(request)).title, mine.user))));
    const doc = docs.get(name);
    if (!doc)
        return refuse(response, 404, "not-found", "No such document");
    if (request.method === "PUT")
        doc.title = (await bodyOf(request)).title;
    if (request.method !== "DELETE")
        return answer(response, 200, view(doc));
    docs.delete(name);
    server.hocuspocus.documents.get(name)?.connections.forEach((_, connection) => connection.close({ code: 1000, reason: "deleted" }));
    return answer(response, 204);
}

function dev(url, response) {
    if (url.pathname === "/dev/outage") {
        awayUntil = Date.now() + Number(url.searchParams.get("ms") ?? 3000);
        sockets.forEach((socket) => socket.destroy());
    }
    if (url.pathname === "/dev/expire") {
        sessions.clear();
        server.hocuspocus.documents.forEach((document) => document.connections.forEach((_, connection) =>
            connection.close({ code: 1000, reason: "Unauthorized" })));
    }
    if (url.pathname === "/dev/readonly")
        readonly = url.searchParams.get("on") === "1";
    answer(response, 204);
}

async function file(request, response, url) {
    const path = url.pathname.startsWith("/gui/assets/") ? url.pathname.slice(5) : "index.html";
    const known = files.get(path);
    if (!known)
        return refuse(response, 404, "not-found", "No such file");
    response.writeHead(200, {
        "Content-Type": known.type,
        "Content-Encoding": "gzip",
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": known.immutable ? "public, max-age=31536000, immutable" : "no-cache",
    });
    response.end(await readFile(join(OUT, `${path}.gz`)));
}

async function serve(request, response) {
    const url = new URL(request.url, "http://dev");
    const [, name] = /^\/core\/rest\/collab\/documents(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (url.pathname.startsWith("/dev/"))
        return dev(url, response);
    if (url.pathname.startsWith("/gui/") && !url.pathname.startsWith("/gui/rest/"))
        return file(request, response, url);
    if (Date.now() < awayUntil)
        return refuse(response, 503, "unavailable", "The core is away", { "Retry-After": "1" });
    if (url.pathname === "/gui/rest/session")
        return session(request, response);
    if (url.pathname.endsWith("/versions") && request.method === "GET")
        return answer(response, 200, { results: [], more: false });
    if (url.pathname.startsWith("/core/rest/collab/documents"))
        return documents(request, response, url, name && decodeURIComponent(name));
    return refuse(response, 404, "not-found", "No such address");
}

const sockets = new Set();
const server = new Server({
    port: PORT,
    address: "127.0.0.1",
    quiet: true,
    unloadImmediately: false,
    debounce: 3_600_000, /* kept open: nothing is stored */
    maxDebounce: 3_600_000,
    async onRequest({ request, response }) {
        await serve(request, response).catch((error) => refuse(response, 500, "dev", String(error)));
        throw null;
    },
    async onUpgrade({ request, socket }) {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
        if (Date.now() < awayUntil || !sessionOf(request.headers)) {
            socket.destroy();
            throw null;
        }
    },
    async onAuthenticate({ documentName, requestHeaders, connectionConfig }) {
        if (!sessionOf(requestHeaders) || !docs.has(documentName))
            throw new Error("refused");
        connectionConfig.readOnly = readonly;
        return { user: sessionOf(requestHeaders).user };
    },
    async onChange({ documentName, context }) {
        const doc = docs.get(documentName);
        if (doc)
            Object.assign(doc, { updatedAt: new Date().toISOString(), updatedBy: context.user ?? doc.updatedBy });
    },
});
await server.listen();
console.log(`http://127.0.0.1:${PORT}/gui/  (any user, password "umbel")`);
