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

    /** What has arrived at these ports and nobody has read. */
    public static function unreadBytes(int ...$ports): int
    {
        $unread = 0;
        foreach ([...(file('/proc/net/tcp') ?: []), ...(file('/proc/net/tcp6') ?: [])] as $line) {
            $fields = preg_split('/\s+/', trim($line)) ?: [];
            $port = hexdec(substr((string) strrchr($fields[1] ?? ':0', ':'), 1));
            // 01: established.
            if (in_array($port, $ports, true) && ($fields[3] ?? '') === '01') {
                $unread += (int) hexdec(substr((string) strrchr($fields[4] ?? ':0', ':'), 1));
            }
        }

        return $unread;
    }
}
