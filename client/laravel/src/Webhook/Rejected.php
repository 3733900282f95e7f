<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use InvalidArgumentException;

/** No: nothing was done, and what the handler wrote is rolled back. Code and reason reach the client. */
final readonly class Rejected
{
    public string $reason;

    /**
     * @param  string  $code  for programs: 1 to 64 of [A-Z0-9_], such as INSUFFICIENT_BALANCE
     * @param  string  $reason  for people; cut after 200 characters
     */
    public function __construct(public string $code, string $reason = '')
    {
        if (preg_match('/^[A-Z0-9_]{1,64}$/D', $code) !== 1) {
            throw new InvalidArgumentException("The code \"{$code}\" is not of 1 to 64 capital letters, digits and underscores, such as INSUFFICIENT_BALANCE.");
        }
        $this->reason = mb_substr(mb_scrub($reason, 'UTF-8'), 0, 200, 'UTF-8');
    }
}
