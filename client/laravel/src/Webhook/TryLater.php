<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use RuntimeException;
use Throwable;

/**
 * Thrown by a handler that cannot decide now: its transaction is rolled back and the relay sends the same
 * command again, until its deadline (5 s) has passed. Any other exception has the same effect, and is reported.
 */
final class TryLater extends RuntimeException
{
    /** @param  int  $afterMs  not before this many milliseconds */
    public function __construct(public readonly int $afterMs = 500, string $message = 'try later', ?Throwable $previous = null)
    {
        parent::__construct($message, 0, $previous);
    }
}
