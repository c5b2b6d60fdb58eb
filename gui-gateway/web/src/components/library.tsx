// The library: components of the scope by words, class, values and conditions. The address says what is looked for, so that it can
// be gone back to, kept and sent to others.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { CATEGORIES } from "../lib/categories";
import { count, several } from "../lib/figures";
import { type ComponentClass, findClass, type Model, useModel } from "../lib/model";
import { called } from "../lib/names";
import { addressOf, queryOf, withCategory } from "../lib/query";
import { navigate, paths } from "../lib/router";
import { exportOf, type FoundPage, type Query, requestOf, run } from "../lib/search";
import type { Session } from "../lib/session";
import { messageOf } from "../lib/told";
import { Icon } from "../ui/icons";
import { Menu } from "../ui/menu";
import { useKeys } from "../ui/shortcuts";
import { notifyError } from "../ui/toast";
import { Umbel } from "../ui/umbel";
import { AddCriterion, Asked, ordersOf } from "./criteria";
import { Facets } from "./facets";
import { Frame } from "./frame";
import { Favourites, SavedMenu, SavedResults } from "./kept";
import { keyOf, Row, useHolders } from "./rows";

const TYPING_MS = 250;
const FIELDS_SHOWN = 4;

/** Of a class, the fields that are shown in a row. */
const fieldsOf = (model: Model | null, ofClass: ComponentClass | undefined) => (ofClass?.tagReferences ?? [])
    .filter((reference) => !reference.technical && !["TEXT", "USER"].includes(model?.tags.get(reference.tagName)?.type ?? "TEXT"))
    .sort((a, b) => (a.order ?? 0) - (b.order ?? 0)).slice(0, FIELDS_SHOWN).map((reference) => reference.tagName);

/** All pages so far of what is looked for; the last answer stays until the next one is there. */
function useSearch(query: Query, fields: string[], ready: boolean) {
    const [state, setState] = useState<{ page: FoundPage | null; problem: string; busy: boolean }>({ page: null, problem: "", busy: true });
    const key = addressOf(query) + fields.join();
    useEffect(() => {
        if (!ready)
            return;
        const control = new AbortController();
        setState((old) => ({ ...old, busy: true }));
        run(query.category, requestOf(query), { fields }, control.signal).then(
            (page) => setState({ page, problem: "", busy: false }),
            (error: unknown) => !control.signal.aborted && setState((old) => ({ ...old, problem: messageOf(error), busy: false })));
        return () => control.abort();
    }, [key, ready]);
    const after = state.page?.after;
    const more = useCallback(() => {
        if (after)
            void run(query.category, requestOf(query), { fields, after }, new AbortController().signal).then(
                (next) => setState((old) => old.page?.after === after
                    ? { ...old, page: { ...old.page, after: next.after, results: [...old.page.results, ...next.results] } } : old),
                (error: unknown) => notifyError(messageOf(error)));
    }, [key, after]);
    return { ...state, more };
}

function New({ classes }: { classes: ComponentClass[] }) {
    return (
        <Menu testid="component-new" label={<><Icon name="plus" /> New</>} items={classes.map((c) => ({
            text: called(c.displayNames, c.id), href: paths.create(c.category, c.id), testid: `new-${c.id}`,
        }))} />
    );
}

/** The field: what is typed counts when nobody has typed for a moment; another address sets it. */
function Words({ query, go }: { query: Query; go: (query: Query, replace?: boolean) => void }) {
    const [typed, setTyped] = useState(query.text);
    const now = useRef(query);
    now.current = query; /* may have changed while one typed */
    const field = useRef<HTMLInputElement>(null);
    useEffect(() => setTyped(query.text), [query.text]);
    useEffect(() => {
        const text = typed.trim();
        if (text === query.text)
            return;
        const timer = setTimeout(() => go({ ...now.current, text }, now.current.text !== ""), TYPING_MS);
        return () => clearTimeout(timer);
    }, [typed]);
    useKeys({ "/": () => field.current?.focus() });
    return (
        <div class="search" role="search">
            <Icon name="search" />
            <input
                ref={field}
                type="search"
                placeholder="Names, tags, contents"
                aria-label="Search the library"
                autocomplete="off"
                value={typed}
                data-testid="library-search"
                onInput={(event) => setTyped(event.currentTarget.value)}
                onKeyDown={(event) => {
                    if (event.key === "ArrowDown" || event.key === "Enter") {
                        event.preventDefault();
                        document.querySelector<HTMLElement>("[data-testid=component-open]")?.focus();
                    }
                }}
            />
            <kbd aria-hidden="true">/</kbd>
        </div>
    );
}

/** Arrow keys move between rows. */
function onRowKey(event: KeyboardEvent): void {
    const links = [...document.querySelectorAll<HTMLElement>("[data-testid=component-open]")];
    const at = links.indexOf(event.target as HTMLElement), step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (at < 0 || !step || event.ctrlKey || event.altKey || event.metaKey)
        return;
    event.preventDefault();
    links[at + step]?.focus();
}

function Results({ page, model, fields, busy, more }: { page: FoundPage; model: Model; fields: string[]; busy: boolean; more: () => void }) {
    const holders = useHolders(page.results);
    const isMore = page.after !== null && (page.atLeast || page.results.length < page.found); /* a page may be empty, and another not */
    if (page.results.length === 0 && !isMore)
        return (
            <div class="empty" data-testid="component-none">
                <Umbel />
                <h2>Nothing here</h2>
                <p>Nothing that you may see matches.</p>
            </div>
        );
    return (
        <>
            <ul class="doc-list" aria-label="Components" aria-busy={busy} onKeyDown={onRowKey}>
                {page.results.map((found) => <Row key={keyOf(found)} found={found} model={model} fields={fields} holder={holders.get(keyOf(found))} />)}
            </ul>
            {isMore && (
                <button type="button" class="button more" data-testid="library-more" onClick={more}>
                    Show more{page.atLeast ? "" : ` (${count(page.found - page.results.length)} left)`}
                </button>
            )}
        </>
    );
}

async function download(query: Query, fields: string[]): Promise<void> {
    try {
        const link = document.createElement("a");
        link.href = await exportOf(query, fields);
        link.download = "";
        link.click();
    } catch (error) {
        notifyError(`Not exported: ${messageOf(error)}`);
    }
}

const countText = (page: FoundPage | null) => (page ? `${several(page.found, "result")}${page.atLeast ? " or more" : ""}` : "");

interface PartProps { query: Query; go: (query: Query, replace?: boolean) => void }

/** What is found, with all that narrows it. */
function Finding({ model, query, go, found, fields }: PartProps & { model: Model; found: ReturnType<typeof useSearch>; fields: string[] }) {
    const [filtering, setFiltering] = useState(false);
    const ofClass = findClass(model, query.category, query.classId);
    const allFields = (ofClass?.tagReferences ?? []).map((reference) => reference.tagName);
    return (
        <div class="finding">
            <div class="filter-bar">
                <button type="button" class="button small filter-toggle" aria-expanded={filtering} aria-controls="filters" data-testid="filters" onClick={() => setFiltering(!filtering)}>
                    <Icon name="filter" /> Filter
                </button>
                <Asked model={model} query={query} onChange={go} />
                <span class="filter-rest">
                    <select aria-label="Order" class="order" data-testid="library-sort" value={query.sort} onChange={(event) => go({ ...query, sort: event.currentTarget.value })}>
                        {ordersOf(model, query).map((order) => <option key={order.sort} value={order.sort} selected={order.sort === query.sort}>{order.text}</option>)}
                    </select>
                    <button type="button" class="button small" data-testid="library-csv" title="What is found, as a table" onClick={() => void download(query, allFields)}>
                        <Icon name="down" /> CSV
                    </button>
                </span>
            </div>
            <aside id="filters" class={filtering ? "facets open" : "facets"} aria-label="Filter">
                <Facets model={model} query={query} address={addressOf(query)} onChange={go}>
                    <AddCriterion model={model} query={query} onChange={go} />
                </Facets>
            </aside>
            <section class="results" aria-label="Results">
                {found.page && <Results page={found.page} model={model} fields={fields} busy={found.busy} more={found.more} />}
            </section>
        </div>
    );
}

function Kinds({ query, go, favourites }: PartProps & { favourites: boolean }) {
    return (
        <div class="chips" role="group" aria-label="Kind">
            {CATEGORIES.map((category) => (
                <button
                    key={category.word} type="button" class="chip" aria-pressed={!favourites && query.category === category.word} data-testid={`kind-${category.word}`}
                    onClick={() => go(withCategory(query, category.word))}
                >
                    {category.many}
                </button>
            ))}
            <button type="button" class="chip" aria-pressed={favourites} data-testid="favourites" onClick={() => void navigate(`${paths.library}?favourites=1`, { still: true })}>
                <Icon name="star" /> Favourites
            </button>
        </div>
    );
}

export function LibraryPage({ session, asked }: { session: Session; asked: string }) {
    const { model, problem } = useModel();
    const address = new URLSearchParams(asked);
    const favourites = address.has("favourites"), saved = address.get("saved");
    const searching = !favourites && saved === null;
    const query = queryOf(asked);
    const fields = fieldsOf(model, model ? findClass(model, query.category, query.classId) : undefined);
    const found = useSearch(query, fields, searching && (model !== null || query.classId === ""));
    const creatable = model?.classes.filter(model.mayCreate) ?? [];
    const go = (next: Query, replace = false) => void navigate(paths.library + addressOf(next), { replace, still: true });

    return (
        <Frame session={session} title="Library" problem={problem || (searching ? found.problem : "")}>
            <div class="list-head">
                <h1>Library</h1>
                <p class="count" role="status" data-testid="library-count">{searching ? countText(found.page) : ""}</p>
                <div class="head-actions">
                    <SavedMenu query={searching ? query : null} />
                    {creatable.length > 0 && <New classes={creatable} />}
                </div>
            </div>
            <Words query={query} go={go} />
            <Kinds query={query} go={go} favourites={favourites} />
            {model && searching && <Finding model={model} query={query} go={go} found={found} fields={fields} />}
            {model && favourites && <Favourites model={model} />}
            {model && saved !== null && <SavedResults model={model} id={saved} />}
        </Frame>
    );
}
