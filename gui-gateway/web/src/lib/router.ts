// Addresses inside the app: /gui/ (documents), /gui/signin, /gui/d/<name> (editor), /gui/library?<search> (components),
// /gui/c/<category>/<id>[?version=<version>] (one of them), /gui/c/<category>/new?class=<class>, /gui/admin/<part>[/<id>]
// (administration).
import { isCategory } from "./categories";
import { Store } from "./store";

export type Route =
    | { page: "list" }
    | { page: "signin"; next: string }
    | { page: "doc"; name: string }
    | { page: "library"; search: string }
    | { page: "component"; category: string; id: string; version: string }
    | { page: "new"; category: string; classId: string }
    | { page: "admin"; part: string; id: string | null }
    | { page: "lost" };

/** Asked before the app leaves a page by itself; false means stay. */
type LeaveGuard = () => Promise<boolean>;

const BASE = "/gui/";
let guard: LeaveGuard | null = null;

/** Where to go after signing in: only ever a path of this app, whatever the address says. */
function safeNext(next: string | null): string {
    return next?.startsWith(BASE) && !next.startsWith(`${BASE}signin`) ? next : BASE;
}

function decode(part: string): string | null {
    try {
        return decodeURIComponent(part);
    } catch {
        return null;
    }
}

function component(category: string, last: string, search: string): Route {
    const id = decode(last), asked = new URLSearchParams(search);
    const classId = asked.get("class");
    if (last === "new" && classId)
        return { page: "new", category, classId };
    return id && isCategory(category) ? { page: "component", category, id, version: asked.get("version") ?? "" } : { page: "lost" };
}

function parse(): Route {
    const { pathname, search } = location;
    if (pathname === BASE || pathname === BASE.slice(0, -1))
        return { page: "list" };
    const [first, second, ...rest] = pathname.slice(BASE.length).split("/");
    if (first === "signin" && second === undefined)
        return { page: "signin", next: safeNext(new URLSearchParams(search).get("next")) };
    if (first === "library" && second === undefined)
        return { page: "library", search };
    if (first === "c" && second && rest.length === 1)
        return component(second, rest[0]!, search);
    if (first === "admin" && rest.length <= 1)
        return { page: "admin", part: second ?? "", id: rest[0] ? decode(rest[0]) : null };
    const name = first === "d" && second && rest.length === 0 ? decode(second) : null;
    return name ? { page: "doc", name } : { page: "lost" };
}

export const route = new Store<Route>(parse());

export const paths = {
    list: BASE,
    doc: (name: string) => `${BASE}d/${encodeURIComponent(name)}`,
    library: `${BASE}library`,
    libraryOf: (category: string, classId: string) => `${BASE}library?${new URLSearchParams({ in: category, class: classId })}`,
    component: (category: string, id: string, version = "") =>
        `${BASE}c/${category}/${encodeURIComponent(id)}${version && `?version=${encodeURIComponent(version)}`}`,
    create: (category: string, classId: string) => `${BASE}c/${category}/new?class=${encodeURIComponent(classId)}`,
    admin: (part = "", id = "") => `${BASE}admin${part && `/${part}`}${id && `/${encodeURIComponent(id)}`}`,
    signin: (next: string) => `${BASE}signin${next === BASE ? "" : `?next=${encodeURIComponent(next)}`}`,
};

/** FORCE skips the guard: the page is gone already (signed out, document deleted). STILL: the page stays where it is scrolled. */
export async function navigate(path: string, how: { replace?: boolean; force?: boolean; still?: boolean } = {}): Promise<void> {
    if (guard && !how.force && !(await guard()))
        return;
    guard = null;
    history[how.replace ? "replaceState" : "pushState"](null, "", path);
    route.set(parse());
    if (!how.still)
        scrollTo(0, 0);
}

/** Returns the function that takes the guard away again. */
export function guardLeaving(ask: LeaveGuard): () => void {
    guard = ask;
    return () => {
        if (guard === ask)
            guard = null;
    };
}

export function startRouter(): void {
    addEventListener("popstate", () => route.set(parse()));
}
