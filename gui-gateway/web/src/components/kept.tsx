// What a person keeps at hand: favourite components, and searches under a name.
import { useEffect, useState } from "preact/hooks";
import { called } from "../lib/names";
import { addressOfStored, favourites, type Stored, storedSearches } from "../lib/kept";
import type { Model } from "../lib/model";
import { paths } from "../lib/router";
import { type FoundPage, lookUp, type Query, run } from "../lib/search";
import { session } from "../lib/session";
import { messageOf } from "../lib/told";
import { IconButton } from "../ui/button";
import { askDialog, confirmDialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { Menu } from "../ui/menu";
import { notify, notifyError } from "../ui/toast";
import { keyOf, Row, useHolders } from "./rows";

const NAME_MOST = 100;

// ---- favourites ----

export function Star({ category, id }: { category: string; id: string }) {
    const [on, setOn] = useState<boolean | null>(null);
    useEffect(() => {
        const control = new AbortController();
        favourites.list(control.signal).then((list) => setOn(list.some((one) => one.category === category && one.id === id)), () => {});
        return () => control.abort();
    }, [category, id]);

    async function toggle(): Promise<void> {
        try {
            await favourites.set({ category, id }, !on);
            setOn(!on);
        } catch (error) {
            notifyError(`Not done: ${messageOf(error)}`);
        }
    }
    return (
        <IconButton
            icon="star" label="Favourite" aria-pressed={on === true} disabled={on === null} class="star"
            data-testid="star" onClick={() => void toggle()}
        />
    );
}

// ---- searches ----

async function keep(query: Query, done: () => void): Promise<void> {
    let name = "", users = "";
    await askDialog({
        title: "Save this search", confirm: "Save",
        body: (
            <>
                <label class="field">
                    <span>Name</span>
                    <input autofocus required maxLength={NAME_MOST} autocomplete="off" data-testid="saved-name" onInput={(event) => (name = event.currentTarget.value.trim())} />
                </label>
                <label class="field">
                    <span>Also for (users and teams, with commas; * is everybody)</span>
                    <input maxLength={1000} autocomplete="off" data-testid="saved-users" onInput={(event) => (users = event.currentTarget.value)} />
                </label>
            </>
        ),
        accept: async () => {
            try {
                await storedSearches.keep(name, query, users.split(",").map((user) => user.trim()).filter(Boolean));
                notify("Saved.");
                done();
                return true;
            } catch (error) {
                notifyError(`Not saved: ${messageOf(error)}`);
                return false;
            }
        },
    });
}

async function forget(stored: Stored, done: () => void): Promise<void> {
    if (!await confirmDialog({ title: `Delete the search “${called(stored.displayNames, stored.id)}”?`, confirm: "Delete", danger: true }))
        return;
    try {
        await storedSearches.remove(stored.id);
        done();
    } catch (error) {
        notifyError(`Not deleted: ${messageOf(error)}`);
    }
}

/** QUERY: what is looked for now; null: it cannot be kept from here. */
export function SavedMenu({ query }: { query: Query | null }) {
    const [list, setList] = useState<Stored[]>([]);
    const [turn, setTurn] = useState(0);
    const state = session.get(), me = state.is === "in" ? state.session.user : "";
    useEffect(() => {
        const control = new AbortController();
        storedSearches.list(control.signal).then(setList, () => {});
        return () => control.abort();
    }, [turn]);
    const again = () => setTurn((n) => n + 1);
    return (
        <Menu
            testid="saved"
            look="button"
            label={<><Icon name="bookmark" /> Saved</>}
            items={list.map((stored) => ({
                text: called(stored.displayNames, stored.id), note: stored.data?.owner === me ? "" : stored.data?.owner,
                href: paths.library + addressOfStored(stored), testid: "saved-search", onRemove: stored.data?.owner === me ? () => void forget(stored, again) : undefined,
            }))}
            action={query ? { text: "Save this search…", testid: "saved-keep", onClick: () => void keep(query, again) } : undefined}
            empty="No search has been saved yet."
        />
    );
}

// ---- what is shown in the place of results ----

function List({ model, page, none, more }: { model: Model; page: FoundPage | null; none: string; more?: () => void }) {
    const holders = useHolders(page?.results ?? null);
    if (!page)
        return null;
    if (page.results.length === 0)
        return <div class="empty" data-testid="component-none"><h2>{none}</h2></div>;
    return (
        <>
            <ul class="doc-list" aria-label="Components">
                {page.results.map((one) => <Row key={keyOf(one)} found={one} model={model} holder={holders.get(keyOf(one))} />)}
            </ul>
            {page.after && more && <button type="button" class="button more" onClick={more}>Show more</button>}
        </>
    );
}

export function Favourites({ model }: { model: Model }) {
    const [page, setPage] = useState<FoundPage | null>(null);
    useEffect(() => {
        const control = new AbortController();
        favourites.list(control.signal).then((list) => lookUp(list, control.signal))
            .then((results) => setPage({ found: results.length, atLeast: false, results, after: null }), (error: unknown) => !control.signal.aborted && notifyError(messageOf(error)));
        return () => control.abort();
    }, []);
    return <List model={model} page={page} none="You have no favourites yet. The star on a component's page makes it one." />;
}

/** A search that says more than the fields of this page can: only its results are shown. */
export function SavedResults({ model, id }: { model: Model; id: string }) {
    const [stored, setStored] = useState<Stored | null>(null);
    const [page, setPage] = useState<FoundPage | null>(null);
    const [problem, setProblem] = useState("");
    const fail = (error: unknown) => setProblem(messageOf(error));
    const read = (one: Stored, after: string | null) => run(one.category, one.request, { after }, new AbortController().signal)
        .then((next) => setPage((old) => (after && old ? { ...next, found: old.found, results: [...old.results, ...next.results] } : next)), fail);
    useEffect(() => {
        const control = new AbortController();
        storedSearches.get(id, control.signal).then((one) => {
            setStored(one);
            void read(one, null);
        }, (error: unknown) => !control.signal.aborted && fail(error));
        return () => control.abort();
    }, [id]);
    return (
        <section aria-label={called(stored?.displayNames, id)}>
            {stored && <h2 class="saved-title">{called(stored.displayNames, id)}</h2>}
            {problem && <p class="problem" role="alert">{problem}</p>}
            <List model={model} page={page} none="Nothing that you may see matches." more={() => stored && void read(stored, page?.after ?? null)} />
        </section>
    );
}
