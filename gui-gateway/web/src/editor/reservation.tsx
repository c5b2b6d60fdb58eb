// The button that reserves the document, and what the others read meanwhile.
import { IconButton } from "../ui/button";
import { Icon } from "../ui/icons";
import type { ReservationView } from "./use-reservation";

export function ReserveButton({ view, readonly }: { view: ReservationView; readonly: boolean }) {
    if (view.holder || (readonly && !view.mine))
        return null;
    return (
        <IconButton
            icon={view.mine ? "lock" : "unlock"}
            label={view.mine ? "Release: others may write again" : "Reserve: only you may write"}
            class={view.mine ? "pressed" : ""}
            aria-pressed={view.mine}
            disabled={view.busy}
            data-testid="reserve"
            data-state={view.mine ? "mine" : "free"}
            onClick={() => void view.toggle()}
        />
    );
}

export function ReservedBy({ view }: { view: ReservationView }) {
    return (
        <div role="status" aria-live="polite">
            {view.holder && (
                <p class="note reserved" data-testid="reserved">
                    <Icon name="lock" /> Reserved by {view.holder}: you can read, and write again when it is released.
                </p>
            )}
        </div>
    );
}
