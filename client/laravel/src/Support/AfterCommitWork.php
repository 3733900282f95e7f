<?php

declare(strict_types=1);

namespace Msab\Laravel\Support;

/**
 * A piece of work that waits for a commit.
 *
 * @internal
 */
final class AfterCommitWork
{
    /** @param  bool  $isCommitted  whether it may be done once the outermost transaction is committed */
    public function __construct(
        public readonly \Closure $work,
        public bool $isCommitted,
    ) {}
}
