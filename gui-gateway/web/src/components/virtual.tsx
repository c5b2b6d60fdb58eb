// What is in a virtual folder: the results of its class's searches.
import { useEffect, useState } from "preact/hooks";
import type { Component } from "../lib/components";
import { folders, type FolderSearch } from "../lib/folders";
import type { Model } from "../lib/model";
import { called } from "../lib/names";
import { type FoundPage, run } from "../lib/search";
import { messageOf } from "../lib/told";
import { keyOf, Row } from "./rows";

function Found({ model, search }: { model: Model; search: FolderSearch }) {
    const [page, setPage] = useState<FoundPage | null>(null);
    const [problem, setProblem] = useState("");
    const category = search.category ?? "DOCUMENT", fields = search.request?.selectClause?.fields ?? [];

    const read = (after: string | null, signal: AbortSignal) => run(category, search.request ?? {}, { fields, after }, signal).then(
        (next) => setPage((old) => (after && old ? { ...old, results: [...old.results, ...next.results], after: next.after } : next)),
        (error: unknown) => !signal.aborted && setProblem(messageOf(error)));
    useEffect(() => {
        const control = new AbortController();
        void read(null, control.signal);
        return () => control.abort();
    }, [search]);

    const shown = fields.filter((field) => model.tags.has(field)).slice(0, 3);
    return (
        <section data-testid="folder-search">
            <h2>{called(search.displayNames, search.id)}{page && <span class="tab-count">{page.found}{page.atLeast && "+"}</span>}</h2>
            {problem && <p class="problem" role="alert">{problem}</p>}
            {page?.results.length === 0 && <p class="faint">Nothing matches now.</p>}
            {page && page.results.length > 0 && (
                <ul class="doc-list flat" aria-label={called(search.displayNames, search.id)}>
                    {page.results.map((one) => <Row key={keyOf(one)} found={one} model={model} fields={shown} />)}
                </ul>
            )}
            {page?.after && page.results.length < page.found && (
                <button type="button" class="button more" onClick={() => void read(page.after, new AbortController().signal)}>Show more</button>
            )}
        </section>
    );
}

export function VirtualContents({ model, component }: { model: Model; component: Component }) {
    const [searches, setSearches] = useState<FolderSearch[] | null>(null);
    const [problem, setProblem] = useState("");

    useEffect(() => {
        const control = new AbortController();
        folders.searches(component.id, control.signal).then(setSearches, (error: unknown) => !control.signal.aborted && setProblem(messageOf(error)));
        return () => control.abort();
    }, [component.id, component.data.version]);
    return (
        <div class="contents">
            {problem && <p class="problem" role="alert">{problem}</p>}
            {searches?.length === 0 && <p class="faint">Its class looks for nothing.</p>}
            {searches?.map((search) => <Found key={search.id} model={model} search={search} />)}
        </div>
    );
}
