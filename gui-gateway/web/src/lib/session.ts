// Who is signed in. The cookie decides; this is what the page knows of it.
import { ApiError, call, persist, serviceAway, setCsrf, setSessionHooks } from "./api";
import { Store } from "./store";

export interface Session {
    user: string;
    displayName: string;
    profiles: string[];
    scope: string; /* the tenant that one works in */
    csrf: string;
    passwordChange?: boolean; /* one may change one's own password here */
}

export type SessionState =
    | { is: "unknown" }
    | { is: "out"; expired: boolean }
    | { is: "in"; session: Session };

const PATH = "/gui/rest/session";
const CORE_LIVES = "/core/actuator/health/liveness"; /* anybody may ask it */

export const session = new Store<SessionState>({ is: "unknown" });

function enter(next: Session): void {
    setCsrf(next.csrf);
    const now = session.get();
    if (now.is !== "in" || now.session.user !== next.user || now.session.csrf !== next.csrf)
        session.set({ is: "in", session: next });
}

/** The server says that the session is over. */
export function sessionEnded(): void {
    setCsrf("");
    if (session.get().is !== "out")
        session.set({ is: "out", expired: session.get().is === "in" });
}

/** Asks the server once. True: still signed in; false: not; null: nobody answered. */
export async function checkSession(): Promise<boolean | null> {
    try {
        enter(await call<Session>("GET", PATH, undefined, { quiet: true }));
        return true;
    } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 401)
            return null;
        sessionEnded();
        return false;
    }
}

export async function startSession(): Promise<void> {
    setSessionHooks({
        signedOut: sessionEnded,
        staleCsrf: async () => {
            const state = session.get();
            const before = state.is === "in" ? state.session.csrf : "";
            const alive = await checkSession();
            const after = session.get();
            return alive === true && after.is === "in" && after.session.csrf !== before;
        },
    });
    /* whoever met the silence may be gone from the page: somebody has to notice its end */
    serviceAway.watch((away) => {
        for (const path of away ? [PATH, CORE_LIVES] : [])
            void persist("GET", path).catch(() => {});
    });
    try {
        enter(await persist<Session>("GET", PATH));
    } catch {
        session.set({ is: "out", expired: false });
    }
}

export async function signIn(user: string, password: string, signal: AbortSignal): Promise<void> {
    enter(await persist<Session>("POST", PATH, { user, password }, { signal }));
}

export async function signOut(): Promise<void> {
    await call<void>("DELETE", PATH).catch((error: unknown) => {
        if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 404))
            throw error;
    });
    setCsrf("");
    session.set({ is: "out", expired: false });
}
