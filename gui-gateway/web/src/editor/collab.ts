// One open document: the Yjs document, its connection, and what the page shows of both.
//
// 1. "Saved" is said only when the server has acknowledged everything that was typed here.
// 2. Changes made while disconnected travel once, in the handshake after the reconnect, not as a queue of
//    single updates: the provider's own listener is off while there is no connection. So the first
//    acknowledgement cannot be taken for all of them, and a long time offline costs no memory.
// 3. Whatever stays unacknowledged for a moment is kept as a draft (drafts.ts) and joins again at the next opening.
// 4. The connection comes back by itself, except after: deleted, refused, signed out.
import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import * as Y from "yjs";
import { ApiError } from "../lib/api";
import { documents } from "../lib/documents";
import { colourOf } from "../lib/people";
import { checkSession, type Session } from "../lib/session";
import { patch, Store } from "../lib/store";
import { drafts } from "./drafts";

const RECONNECT_FIRST_MS = 500;
const RECONNECT_MOST_MS = 4_000;
const RECONNECT_FACTOR = 1.5;
const OFFLINE_AFTER_MS = 15_000;
const FIRST_FRAME_MOST_MS = 8_000;
const DRAFT_DELAY_MS = 400;
const SLOW_AFTER_MS = 2_000; /* without an acknowledgement: the store is away */
const SESSION_CHECK_EVERY_MS = 3_000;
const REFUSALS_MOST = 4;
const NAME_MOST = 80;

export type Conn = "connected" | "connecting" | "offline";
export type Save = "saved" | "saving" | "unsaved";
export type End = "deleted" | "denied";

export interface Person {
    id: string;
    name: string;
    colour: string;
    windows: number;
    me: boolean;
}

export interface ReservationNote {
    event: string; /* reserved, released, broken, expired */
    by: string;
    turn: number;
}

export interface CollabState {
    conn: Conn;
    save: Save;
    opened: boolean; /* the document's content has come at least once */
    readonly: boolean;
    people: Person[];
    reservation: ReservationNote | null; /* the last that the core said of it */
    renamed: number; /* changes when somebody says that the title is new */
    end: End | null;
}

export class Collab {
    readonly doc = new Y.Doc();
    readonly provider: HocuspocusProvider;
    readonly state = new Store<CollabState>({
        conn: "connecting", save: "saved", opened: false, readonly: false, people: [], reservation: null, renamed: 0, end: null,
    });
    readonly me: { id: string; name: string; color: string };

    private readonly socket: HocuspocusProviderWebsocket;
    private readonly draftKey: string;
    private readonly adopted: string[] = []; /* drafts of earlier pages, applied here */
    private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
    private readonly stops: (() => void)[] = [];
    private dirty = false;
    private drafted = false;
    private slow = false;
    private unacknowledged = 0;
    private base: Uint8Array | null = null; /* state vector before the first unacknowledged change */
    private refusals = 0;
    private sessionCheckedAt = 0;
    private dead = false;

    constructor(private readonly name: string, session: Session) {
        this.me = { id: session.user, name: session.displayName, color: colourOf(session.user) };
        this.draftKey = drafts.keyFor(session.user, name);
        this.socket = new HocuspocusProviderWebsocket({
            url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/collab`,
            delay: RECONNECT_FIRST_MS,
            minDelay: RECONNECT_FIRST_MS,
            factor: RECONNECT_FACTOR,
            maxDelay: RECONNECT_MOST_MS,
        });
        this.provider = new HocuspocusProvider({
            websocketProvider: this.socket,
            name,
            document: this.doc,
            token: "",
        });
        this.listen(session.user);
        this.provider.attach();
        this.watchPage();
        this.lost();
    }

    /** True while something typed here is not acknowledged. */
    get unsaved(): boolean {
        return this.dirty;
    }

    /** Tells the others in the document that its title has changed. */
    announceRename(): void {
        this.provider.setAwarenessField("renamed", Date.now());
    }

    destroy(): void {
        this.dead = true;
        if (this.dirty)
            this.writeDraft();
        for (const timer of this.timers.values())
            clearTimeout(timer);
        for (const stop of this.stops)
            stop();
        this.provider.destroy();
        this.socket.destroy();
        this.doc.destroy();
    }

    private listen(user: string): void {
        const { provider, doc } = this;
        doc.off("update", provider.boundDocumentUpdateHandler);
        doc.on("update", (_update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
            if (origin !== provider)
                this.edited(transaction);
        });
        provider.on("open", () => doc.on("update", provider.boundDocumentUpdateHandler));
        provider.on("close", ({ event }: { event: { code: number; reason: string } }) => {
            doc.off("update", provider.boundDocumentUpdateHandler);
            this.closed(event?.code ?? 0, event?.reason ?? "");
        });
        provider.on("authenticated", ({ scope }: { scope: string }) => patch(this.state, { readonly: scope === "readonly" }));
        provider.on("stateless", ({ payload }: { payload: string }) => this.noted(payload));
        provider.on("authenticationFailed", () => void this.refused());
        provider.on("synced", () => void this.synced(user));
        provider.on("unsyncedChanges", () => {
            this.watchProgress();
            this.acknowledged();
        });
        provider.on("status", ({ status }: { status: string }) => status === "connecting" && this.watchFirstFrame());
        provider.awareness!.on("change", () => this.meet());
    }

    private watchPage(): void {
        const on = (target: EventTarget, type: string, act: () => void) => {
            target.addEventListener(type, act);
            this.stops.push(() => target.removeEventListener(type, act));
        };
        on(window, "online", () => void this.socket.connect());
        on(window, "offline", () => {
            this.socket.onClose({ event: { code: 4408, reason: "offline" } as CloseEvent });
            this.show();
        });
        on(document, "visibilitychange", () => {
            if (document.visibilityState === "hidden" && this.dirty)
                this.writeDraft();
            else if (document.visibilityState === "visible" && !this.provider.synced)
                void this.socket.connect();
        });
        /* a page that comes back from the browser's cache has said good-bye to the others */
        on(window, "pageshow", () => this.provider.setAwarenessField("user", this.me));
    }

    private later(what: string, ms: number, act: () => void): void {
        clearTimeout(this.timers.get(what));
        this.timers.set(what, setTimeout(act, ms));
    }

    private forget(what: string): void {
        clearTimeout(this.timers.get(what));
    }

    private show(): void {
        const connected = this.provider.synced;
        const late = !navigator.onLine || this.state.get().conn === "offline";
        patch(this.state, {
            conn: connected ? "connected" : late ? "offline" : "connecting",
            save: !this.dirty ? "saved" : connected && !this.slow ? "saving" : "unsaved",
        });
    }

    /** "Not saved yet" is said while nothing is acknowledged for a moment, not while somebody types on and on. */
    private watchProgress(): void {
        const before = this.unacknowledged;
        this.unacknowledged = this.provider.unsyncedChanges;
        if (this.unacknowledged > before && before > 0)
            return;
        this.slow = false;
        this.forget("slow");
        if (this.unacknowledged > 0)
            this.later("slow", SLOW_AFTER_MS, () => {
                this.slow = true;
                this.show();
            });
    }

    private edited(transaction: Y.Transaction): void {
        if (!this.dirty) {
            this.dirty = true;
            this.base = Y.encodeStateVector(transaction.beforeState);
        }
        this.later("draft", DRAFT_DELAY_MS, () => this.writeDraft());
        this.show();
    }

    private writeDraft(): void {
        this.drafted = true;
        void drafts.put(this.draftKey, Y.encodeStateAsUpdate(this.doc, this.base ?? undefined));
    }

    /** The server has what it was sent; with a count of zero, everything. */
    private acknowledged(): void {
        if (!this.provider.synced || this.provider.unsyncedChanges > 0)
            return this.show();
        this.dirty = false;
        this.base = null;
        this.forget("draft");
        const done = this.adopted.splice(0);
        if (this.drafted)
            done.push(this.draftKey);
        this.drafted = false;
        for (const key of done)
            void drafts.drop(key);
        this.show();
    }

    private async synced(user: string): Promise<void> {
        this.refusals = 0;
        this.forget("late");
        this.acknowledged();
        if (!this.state.get().opened) {
            const kept = await drafts.all(user, this.name);
            if (this.dead)
                return;
            for (const draft of kept) {
                this.adopted.push(draft.key);
                Y.applyUpdate(this.doc, draft.update, "draft");
            }
            patch(this.state, { opened: true });
        }
        this.acknowledged();
    }

    /** A note of the core's. Others may send notes too, so nothing in it is believed but that something has changed. */
    private noted(payload: string): void {
        let note: { type?: unknown; event?: unknown; by?: unknown };
        try {
            note = JSON.parse(payload) ?? {};
        } catch {
            return;
        }
        if (note.type === "reservation")
            patch(this.state, {
                reservation: {
                    event: String(note.event),
                    by: typeof note.by === "string" ? note.by.slice(0, NAME_MOST) : "",
                    turn: (this.state.get().reservation?.turn ?? 0) + 1,
                },
            });
    }

    /** No connection from now on: after a while that is called offline. */
    private lost(): void {
        this.show();
        this.later("late", OFFLINE_AFTER_MS, () => {
            if (!this.provider.synced)
                patch(this.state, { conn: "offline" });
        });
    }

    private closed(code: number, reason: string): void {
        if (reason === "deleted")
            return this.finish("deleted");
        if (this.state.get().conn === "connected")
            this.lost();
        if (code === 1000 && this.socket.webSocket) /* the document's end, not the socket's: begin again */
            this.later("again", RECONNECT_FIRST_MS, () => this.socket.webSocket?.close());
        void this.checkSession();
    }

    /** The socket may be refused because the session is over, which a browser does not tell. */
    private async checkSession(): Promise<void> {
        if (this.dead || Date.now() - this.sessionCheckedAt < SESSION_CHECK_EVERY_MS)
            return;
        this.sessionCheckedAt = Date.now();
        await checkSession();
    }

    /** Denied: signed out, deleted, no right to it, or a passing trouble behind the gateway. */
    private async refused(): Promise<void> {
        this.refusals++;
        const alive = await checkSession();
        if (alive === false || this.dead)
            return;
        const gone = await documents.get(this.name).then(() => null, (error: unknown) => error);
        if (this.dead)
            return;
        if (gone instanceof ApiError && gone.status === 404)
            return this.finish("deleted");
        if (gone instanceof ApiError || this.refusals >= REFUSALS_MOST)
            return this.finish("denied");
        this.later("again", RECONNECT_FIRST_MS * 2 ** this.refusals, () => this.socket.webSocket?.close());
    }

    private finish(end: End): void {
        this.dirty = false;
        this.forget("draft");
        if (this.drafted && end === "deleted")
            void drafts.drop(this.draftKey);
        this.socket.disconnect();
        patch(this.state, { end, conn: "offline" });
    }

    /** A socket that opens but stays silent (a process that hangs) is given up and tried again. */
    private watchFirstFrame(): void {
        this.show();
        this.later("first-frame", FIRST_FRAME_MOST_MS, () => {
            if (this.socket.status !== "connected" || this.socket.lastMessageReceived === 0)
                this.socket.webSocket?.close();
        });
    }

    /** Who is here. What others say of themselves is not trusted in size or type. */
    private meet(): void {
        const people = new Map<string, Person>();
        let renamed = 0;
        this.provider.awareness!.getStates().forEach((state, client) => {
            const said = state.user as { id?: unknown; name?: unknown; color?: unknown } | undefined;
            const me = client === this.doc.clientID;
            if (!me && typeof state.renamed === "number")
                renamed += state.renamed;
            if (typeof said?.name !== "string")
                return;
            const name = said.name.slice(0, NAME_MOST);
            const id = typeof said.id === "string" ? said.id.slice(0, NAME_MOST) : name;
            const known = people.get(id);
            if (known) {
                known.windows++;
                known.me ||= me;
            } else {
                people.set(id, { id, name, colour: colourOf(id), windows: 1, me });
            }
        });
        const list = [...people.values()].sort((a, b) => Number(b.me) - Number(a.me) || a.name.localeCompare(b.name));
        patch(this.state, { people: list, renamed });
    }
}
