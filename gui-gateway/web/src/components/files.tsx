// The files of a document: sent to the core as temporary files first, and bound when the form is saved.
import { useState } from "preact/hooks";
import { upload } from "../lib/api";
import { type FileRef, oneAt } from "../lib/components";
import { bytes } from "../lib/figures";
import { messageOf } from "../lib/told";
import { IconButton } from "../ui/button";
import { Icon } from "../ui/icons";
import { notifyError } from "../ui/toast";

const nameOf = (file: FileRef) => file.name ?? file.Name ?? file.id;

interface Sending { name: string; part: number }

export function Files({ documentId, version, files, readonly, onChange }: {
    documentId: string; /* "": it is not there yet */
    version?: string; /* the files that it had */
    files: FileRef[];
    readonly: boolean;
    onChange: (files: FileRef[]) => void;
}) {
    const [sending, setSending] = useState<Sending[]>([]);

    async function add(list: FileList): Promise<void> {
        let all = files;
        for (const file of list) {
            const mine: Sending = { name: file.name, part: 0 };
            setSending((old) => [...old, mine]);
            try {
                const sent = await upload<FileRef>("/core/rest/files/tmp", file, (part) => setSending((old) => old.map((s) => (s.name === mine.name ? { ...s, part } : s))));
                all = [...all, { id: sent.id, name: file.name, size: file.size }];
                onChange(all);
            } catch (error) {
                notifyError(`${file.name} was not sent: ${messageOf(error)}`);
            }
            setSending((old) => old.filter((s) => s.name !== mine.name));
        }
    }

    const address = (file: FileRef) => `${oneAt("DOCUMENT", documentId)}${version ? `/versions/${version}` : ""}/files/${encodeURIComponent(file.id)}/content`;
    return (
        <div class="files">
            {files.length + sending.length === 0 && <p class="faint">No files{readonly ? "." : " yet."}</p>}
            <ul>
                {files.map((file) => (
                    <li key={file.id} data-testid="file">
                        <Icon name="page" />
                        {documentId && !file.id.startsWith("tmp_")
                            ? <a href={address(file)} download={nameOf(file)} data-testid="file-get">{nameOf(file)}</a>
                            : <span>{nameOf(file)}</span>}
                        <span class="file-size">{file.size === undefined ? "" : bytes(file.size)}</span>
                        {!readonly && <IconButton icon="close" label={`Remove ${nameOf(file)}`} onClick={() => onChange(files.filter((f) => f !== file))} />}
                    </li>
                ))}
                {sending.map((s) => (
                    <li key={s.name}><Icon name="page" /><span>{s.name}</span><progress max={1} value={s.part} aria-label={`Sending ${s.name}`} /></li>
                ))}
            </ul>
            {!readonly && (
                <label class="button">
                    <Icon name="plus" /> Add files
                    <input
                        type="file"
                        multiple
                        class="visually-hidden"
                        data-testid="file-add"
                        onChange={(event) => {
                            const list = event.currentTarget.files;
                            if (list && list.length > 0)
                                void add(list);
                        }}
                    />
                </label>
            )}
        </div>
    );
}
