<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

/** What this process can use of gRPC. */
final class Process
{
    /** @var int|null the process that loaded this class */
    private static ?int $first = null;

    private static bool $firstIsFork = false;

    /** At the application's start: what is found out then holds, however the clock is set later. */
    public static function remember(): void
    {
        if (self::$first === null) {
            self::$first = (int) getmypid();
            self::$firstIsFork = self::isCli() && self::beganAfterPhp();
        }
    }

    public static function hasGrpc(): bool
    {
        return extension_loaded('grpc');
    }

    /**
     * Whether PHP's command line was started in another process, of which this one is a fork
     * (`pcntl_fork`, Swoole's workers). gRPC's threads were left behind in that one. FPM's workers are
     * no such forks: there each request starts the extension anew.
     */
    public static function isForkedFromCli(): bool
    {
        self::remember();

        return self::isCli() && (self::$firstIsFork || self::$first !== getmypid());
    }

    private static function isCli(): bool
    {
        return in_array(PHP_SAPI, ['cli', 'micro'], true);
    }

    /**
     * Whether the kernel made this process after PHP had begun to run in it: only a fork can say so.
     * The clocks involved tick in hundredths of a second, PHP's own start takes longer.
     */
    private static function beganAfterPhp(): bool
    {
        $stat = @file_get_contents('/proc/self/stat');
        $uptime = @file_get_contents('/proc/uptime');
        if ($stat === false || $uptime === false) {
            return false;  // no Linux: then only a fork after the application's start is seen
        }
        // Field 22, of those after the command's name, which may itself hold spaces and brackets.
        $ticks = (int) (explode(' ', substr($stat, (int) strrpos($stat, ')') + 2))[19] ?? 0);
        $began = microtime(true) - ((float) $uptime - $ticks / 100);

        return $began > (float) $_SERVER['REQUEST_TIME_FLOAT'] + 0.01;
    }
}
