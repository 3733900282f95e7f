<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use RuntimeException;

/**
 * Rolls a handler's transaction back because it said no.
 *
 * @internal
 */
final class Undone extends RuntimeException
{
    public function __construct(public readonly Rejected $rejected)
    {
        parent::__construct($rejected->code);
    }
}
