<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

/** Free ports of the loopback interface. */
final class Ports
{
    /** Below the range that the kernel gives to outgoing connections, so that none of them takes it. */
    public static function free(): int
    {
        for ($try = 0; $try < 200; $try++) {
            $port = random_int(20000, 32000);
            $socket = @stream_socket_server("tcp://127.0.0.1:$port");
            if ($socket !== false) {
                fclose($socket);

                return $port;
            }
        }
        throw new \RuntimeException('no free port');
    }
}
