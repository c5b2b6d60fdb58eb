// A document as it was: read, and gone back to.
import { useEffect, useState } from "preact/hooks";
import { isoOf } from "../lib/components";
import { findClass, useModel } from "../lib/model";
import { documentVersions, type Version } from "../lib/past";
import { navigate, paths } from "../lib/router";
import type { Session } from "../lib/session";
import { exactly } from "../lib/time";
import { messageOf } from "../lib/told";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";
import { Fields, valuesOf } from "./fields";
import { Files } from "./files";
import { NameField } from "./form";
import { Frame } from "./frame";
import { Head } from "./head";
import { useComponent } from "./page";
import { goBack, labelOf } from "./versions";

export function VersionPage({ session, id, version }: { session: Session; id: string; version: string }) {
    const { model, problem } = useModel();
    const { rights } = useComponent("DOCUMENT", id);
    const [was, setWas] = useState<Version | null>(null);
    const [trouble, setTrouble] = useState("");

    useEffect(() => {
        const control = new AbortController();
        documentVersions.get(id, version, control.signal).then(setWas, (error: unknown) => !control.signal.aborted && setTrouble(messageOf(error)));
        return () => control.abort();
    }, [id, version]);

    const ofClass = model && was ? findClass(model, "DOCUMENT", was.data.classId) : undefined;
    const revert = async () => {
        if (was && await goBack(was, () => {}))
            void navigate(paths.component("DOCUMENT", id), { force: true });
    };
    return (
        <Frame session={session} title={was?.name ?? ""} problem={problem || trouble}>
            {model && was && ofClass && (
                <div class="paper alone" data-testid="version-shown">
                    <Head
                        ofClass={ofClass}
                        title={was.name}
                        badges={<span class="badge"><Icon name="history" /> {labelOf(was)}</span>}
                        actions={(
                            <>
                                <Link class="button" href={paths.component("DOCUMENT", id)} data-testid="version-leave"><Icon name="back" /> As it is now</Link>
                                {rights.has("UPDATE") && rights.has("UPDATE_CONTENT") && (
                                    <button type="button" class="button primary" data-testid="version-go-back" onClick={() => void revert()}>Go back to it</button>
                                )}
                            </>
                        )}
                    />
                    <p class="note refused" role="note">
                        <Icon name="history" /> This is how it was on {exactly(isoOf(was.versionDate))}{was.versionAuthor && `, kept by ${was.versionAuthor}`}.
                    </p>
                    <div class="paper-main">
                        <NameField value={was.name} disabled />
                        <Fields model={model} ofClass={ofClass} values={valuesOf(was.tags)} faults={new Map()} readonly isNew={false} onChange={() => {}} />
                        {(was.files ?? []).length > 0 && (
                            <section class="card" aria-labelledby="version-files">
                                <h2 id="version-files">Files</h2>
                                <Files documentId={id} files={was.files ?? []} version={version} readonly onChange={() => {}} />
                            </section>
                        )}
                    </div>
                </div>
            )}
        </Frame>
    );
}
