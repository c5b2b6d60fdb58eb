// Components as rows of a list: name, class and state; those that somebody holds say so.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isoOf } from "../lib/components";
import { type Model, nameOfClass, nameOfTag } from "../lib/model";
import { reservationsOfAll } from "../lib/reservations";
import { paths } from "../lib/router";
import type { Found } from "../lib/search";
import { ago, exactly } from "../lib/time";
import { Icon, type IconName } from "../ui/icons";
import { Link } from "../ui/link";
import { joinedText } from "./values";

const ICONS: Record<string, IconName> = { DOCUMENT: "page", FOLDER: "folder", TASK: "task", VIRTUAL_FOLDER: "search" };

export const keyOf = (one: { category: string; id: string }) => `${one.category}/${one.id}`;

/** Who holds what of these, by key. */
export function useHolders(list: Found[] | null): Map<string, string> {
    const [holders, setHolders] = useState(new Map<string, string>());
    useEffect(() => {
        if (list && list.length > 0)
            reservationsOfAll(list.map(({ category, id }) => ({ category, id })))
                .then((all) => setHolders(new Map(all.filter((one) => one.reserved).map((one) => [keyOf(one), one.user ?? "somebody"]))), () => {});
    }, [list]);
    return holders;
}

export interface RowProps {
    found: Found;
    model: Model;
    fields?: string[]; /* of its values, those to show */
    holder?: string | undefined;
    children?: ComponentChildren; /* what can be done with it here */
}

export function Row({ found, model, fields = [], holder, children }: RowProps) {
    const at = isoOf(found.changed);
    const shown = fields.filter((field) => found.values.get(field));
    return (
        <li class="doc-row" data-testid="component-row">
            <span class="doc-icon" aria-hidden="true"><Icon name={ICONS[found.category] ?? "page"} /></span>
            <Link class="doc-link" href={paths.component(found.category, found.id)} data-testid="component-open">
                <span class="doc-title">{found.name || found.id}</span>
                <span class="doc-about">
                    <span class="class-name">{nameOfClass(model, found.category, found.classId)}</span>
                    {shown.map((field) => (
                        <span key={field}> · <span class="visually-hidden">{nameOfTag(model, field)}: </span>
                            <span title={nameOfTag(model, field)}>{joinedText(model, field, found.values.get(field)!)}</span></span>
                    ))}
                    {" · "}<span title={exactly(at)}>{ago(at)}</span>
                    {found.assignee ? <span> · for {found.assignee}</span> : found.owner && <span> · {found.owner}</span>}
                </span>
            </Link>
            {found.status && <span class="badge calm">{found.status}</span>}
            {holder && <span class="badge holder" data-testid="holder" title={`${holder} has reserved it`}><Icon name="lock" /><span class="visually-hidden">Reserved by </span>{holder}</span>}
            {children}
        </li>
    );
}
