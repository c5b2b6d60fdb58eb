// The library: components of the scope, newest change first, by class and by words.
import { useCallback, useEffect, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { type Found, type FoundPage, search } from "../lib/search";
import { isoOf } from "../lib/components";
import { type ComponentClass, type Model, nameOfClass, useModel } from "../lib/model";
import { called } from "../lib/names";
import { paths } from "../lib/router";
import type { Session } from "../lib/session";
import { ago, exactly } from "../lib/time";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";
import { Umbel } from "../ui/umbel";
import { Frame } from "./frame";

const TYPING_MS = 250;

/** All pages so far of what is looked for. */
function useSearch(category: string, classId: string, text: string) {
    const [page, setPage] = useState<FoundPage | null>(null);
    const [problem, setProblem] = useState("");
    useEffect(() => {
        const control = new AbortController();
        search(category, classId, text, null, control.signal).then((first) => {
            setPage(first);
            setProblem("");
        }, (error: unknown) => {
            if (!control.signal.aborted)
                setProblem(error instanceof ApiError ? error.message : "The search failed.");
        });
        return () => control.abort();
    }, [category, classId, text]);
    const more = useCallback(() => {
        if (page?.after)
            void search(category, classId, text, page.after, new AbortController().signal)
                .then((next) => setPage((old) => old && { ...next, results: [...old.results, ...next.results] }));
    }, [page, category, classId, text]);
    return { page, problem, more };
}

function Row({ found, model, category }: { found: Found; model: Model; category: string }) {
    const at = isoOf(found.changed);
    return (
        <li class="doc-row" data-testid="component-row">
            <span class="doc-icon" aria-hidden="true"><Icon name={category === "FOLDER" ? "bookmark" : "page"} /></span>
            <Link class="doc-link" href={paths.component(category, found.id)} data-testid="component-open">
                <span class="doc-title">{found.name || found.id}</span>
                <span class="doc-about">
                    <span class="class-name">{nameOfClass(model, category, found.classId)}</span>
                    {" · "}<span title={exactly(at)}>{ago(at)}</span>
                    {found.owner && <span> · {found.owner}</span>}
                </span>
            </Link>
        </li>
    );
}

function New({ classes }: { classes: ComponentClass[] }) {
    return (
        <details class="menu" data-testid="component-new">
            <summary class="button primary"><Icon name="plus" /> New</summary>
            <ul>
                {classes.map((c) => (
                    <li key={c.id}>
                        <Link href={paths.create(c.category, c.id)} data-testid={`new-${c.id}`}>{called(c.displayNames, c.id)}</Link>
                    </li>
                ))}
            </ul>
        </details>
    );
}

function Results({ page, model, category, more }: { page: FoundPage; model: Model; category: string; more: () => void }) {
    if (page.results.length === 0)
        return (
            <div class="empty" data-testid="component-none">
                <Umbel />
                <h2>Nothing here</h2>
                <p>Nothing that you may see matches.</p>
            </div>
        );
    return (
        <>
            <ul class="doc-list" aria-label="Components">
                {page.results.map((found) => <Row key={found.id} found={found} model={model} category={category} />)}
            </ul>
            {page.after && page.results.length < page.found && (
                <button type="button" class="button more" onClick={more}>Show more ({page.found - page.results.length} left)</button>
            )}
        </>
    );
}

export function LibraryPage({ session }: { session: Session; asked: string }) {
    const { model, problem } = useModel();
    const [chosen, setChosen] = useState<ComponentClass | null>(null);
    const [typed, setTyped] = useState("");
    const [text, setText] = useState("");
    const category = chosen?.category ?? "DOCUMENT";
    const found = useSearch(category, chosen?.id ?? "", text);
    const creatable = model?.classes.filter(model.mayCreate) ?? [];

    useEffect(() => {
        const timer = setTimeout(() => setText(typed.trim()), TYPING_MS);
        return () => clearTimeout(timer);
    }, [typed]);

    return (
        <Frame session={session} title="Library" problem={problem || found.problem}>
            <div class="list-head">
                <h1>Library</h1>
                <p class="count" role="status">{found.page ? `${found.page.found} found` : ""}</p>
                {creatable.length > 0 && <New classes={creatable} />}
            </div>
            <div class="search" role="search">
                <Icon name="search" />
                <input
                    type="search"
                    placeholder="Names, tags, contents"
                    aria-label="Search the library"
                    autocomplete="off"
                    value={typed}
                    data-testid="library-search"
                    onInput={(event) => setTyped(event.currentTarget.value)}
                />
            </div>
            {model && (
                <div class="chips" role="group" aria-label="Classes">
                    <button type="button" class="chip" aria-pressed={!chosen} onClick={() => setChosen(null)}>All documents</button>
                    {model.classes.map((c) => (
                        <button key={c.id} type="button" class="chip" aria-pressed={chosen?.id === c.id} data-testid={`class-${c.id}`} onClick={() => setChosen(c)}>
                            {called(c.displayNames, c.id)}
                        </button>
                    ))}
                </div>
            )}
            {model && found.page && <Results page={found.page} model={model} category={category} more={found.more} />}
        </Frame>
    );
}
