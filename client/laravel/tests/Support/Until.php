<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

/** Waiting for what happens in another process. */
final class Until
{
    /**
     * @template T
     *
     * @param  \Closure(): T  $condition
     * @return T the first answer that isn't falsy
     */
    public static function true(\Closure $condition, string $what, float $seconds = 30): mixed
    {
        $end = microtime(true) + $seconds;
        do {
            $answer = $condition();
            if ($answer) {
                return $answer;
            }
            usleep(20_000);
        } while (microtime(true) < $end);
        throw new \RuntimeException("waited $seconds s in vain: $what");
    }
}
