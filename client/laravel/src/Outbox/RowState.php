<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

/** Where a row of the outbox is on its way. */
enum RowState: string
{
    /** Waits to be sent. */
    case Pending = 'pending';
    /** The relay has it. */
    case Sent = 'sent';
    /** The relay refused it for good; it waits for a person (`msab:outbox retry`). */
    case Dead = 'dead';
}
