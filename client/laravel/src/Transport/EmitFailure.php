<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

use Msab\Laravel\Contract\Violation;
use Msab\Laravel\Exceptions\RelayException;

/** Why an event was not accepted. */
final readonly class EmitFailure
{
    /**
     * @param  list<Violation>  $violations  of INVALID_ARGUMENT: every field at fault
     * @param  float|null  $retryAfter  seconds to wait at least before the same bytes may be sent again
     */
    public function __construct(
        public StatusCode $code,
        public string $message,
        public array $violations = [],
        public ?float $retryAfter = null,
    ) {}

    /**
     * Whether the same bytes may be accepted later. The relay may have accepted them already
     * (DEADLINE_EXCEEDED); then the repeat is answered `duplicate`.
     */
    public function isTransient(): bool
    {
        return match ($this->code) {
            StatusCode::Unavailable, StatusCode::DeadlineExceeded => true,
            // Without a delay the request itself is too large.
            StatusCode::ResourceExhausted => $this->retryAfter !== null,
            default => false,
        };
    }

    public function toException(): RelayException
    {
        return new RelayException($this);
    }
}
