<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

/** A client on a real WebSocket, in the relay's native dialect (RFC 6455, text frames only). */
final class WsClient
{
    /** @var resource */
    private $socket;

    private string $buffer = '';

    /** @var array<string, mixed> the data of the `welcome` frame */
    public readonly array $welcome;

    private int $lastId = 0;

    /**
     * @param  list<string>  $rooms  joined at once
     * @param  bool  $live  whether to read on past what was missed
     */
    public function __construct(int $port, string $token, array $rooms = [], ?string $cursor = null, bool $live = true)
    {
        $socket = stream_socket_client("tcp://127.0.0.1:$port", $code, $message, 5);
        if ($socket === false) {
            throw new \RuntimeException("connect: $message");
        }
        $this->socket = $socket;
        $query = http_build_query(array_filter(['rooms' => implode(',', $rooms), 'cursor' => $cursor]));
        fwrite($socket, "GET /ws?$query HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            .'Sec-WebSocket-Key: '.base64_encode(random_bytes(16))."\r\nSec-WebSocket-Version: 13\r\n"
            ."Authorization: Bearer $token\r\n\r\n");
        stream_set_blocking($socket, false);
        $head = $this->readUntil(fn () => str_contains($this->buffer, "\r\n\r\n"), 5);
        if (! $head || ! str_starts_with($this->buffer, 'HTTP/1.1 101')) {
            throw new \RuntimeException("no upgrade: $this->buffer");
        }
        $this->buffer = substr($this->buffer, (int) strpos($this->buffer, "\r\n\r\n") + 4);
        $this->welcome = $this->next('welcome')['data'];
        if ($live) {
            $this->next('live');
        }
    }

    public function connectionId(): string
    {
        return $this->welcome['connectionId'];
    }

    /** Joins a room and waits for the answer. */
    public function join(string $room): void
    {
        $id = ++$this->lastId;
        $this->send(['id' => $id, 'event' => 'room:join', 'data' => ['roomId' => $room]]);
        do {
            $frame = $this->read(5) ?? throw new \RuntimeException('no reply to room:join');
        } while (($frame['reply'] ?? null) !== $id);
        if (! $frame['ok']) {
            throw new \RuntimeException('not joined: '.json_encode($frame['error']));
        }
    }

    /**
     * Sends a command and waits for its answer; events before it are passed over.
     *
     * @param  array<string, mixed>  $data
     * @return array<string, mixed> the reply frame
     */
    public function request(string $event, array $data, float $seconds = 10): array
    {
        return $this->reply($this->ask($event, $data), $seconds);
    }

    /**
     * @param  array<string, mixed>  $data
     * @return int the id that the reply will have
     */
    public function ask(string $event, array $data): int
    {
        $id = ++$this->lastId;
        $this->send(['id' => $id, 'event' => $event, 'data' => $data]);

        return $id;
    }

    /** @return array<string, mixed> */
    public function reply(int $id, float $seconds = 10): array
    {
        $end = microtime(true) + $seconds;
        while (($left = $end - microtime(true)) > 0) {
            $frame = $this->read($left);
            if (($frame['reply'] ?? null) === $id) {
                return $frame;
            }
        }
        throw new \RuntimeException("no reply to $id within $seconds s");
    }

    /** @param  array<string, mixed>  $frame */
    public function send(array $frame): void
    {
        $text = json_encode($frame, JSON_THROW_ON_ERROR);
        $mask = random_bytes(4);
        $length = strlen($text);
        $head = $length < 126 ? chr(0x80 | $length) : chr(0x80 | 126).pack('n', $length);
        stream_set_blocking($this->socket, true);
        fwrite($this->socket, "\x81$head$mask".($text ^ str_repeat($mask, intdiv($length, 4) + 1)));
        stream_set_blocking($this->socket, false);
    }

    /**
     * The next frame of this event; others before it are passed over.
     *
     * @return array<string, mixed>
     */
    public function next(string $event, float $seconds = 10): array
    {
        $end = microtime(true) + $seconds;
        while (($left = $end - microtime(true)) > 0) {
            $frame = $this->read($left);
            if (($frame['event'] ?? null) === $event) {
                return $frame;
            }
        }
        throw new \RuntimeException("no $event within $seconds s");
    }

    /**
     * Every event of what the relay had accepted before this call, pings left out. Not timed: it answers in the order
     * in which it sends, and this asks it for an answer.
     *
     * @param  float  $seconds  and what it accepts in this time
     * @return list<array<string, mixed>>
     */
    public function drain(float $seconds = 0): array
    {
        $frames = [];
        $end = microtime(true) + $seconds;
        while (($left = $end - microtime(true)) > 0) {
            $frames[] = $this->read($left);
        }
        $id = ++$this->lastId;
        $this->send(['id' => $id, 'event' => 'ping']);
        do {
            $frames[] = $frame = $this->read(10) ?? throw new \RuntimeException('no answer to a ping');
        } while (($frame['reply'] ?? null) !== $id);

        return array_values(array_filter($frames, fn (?array $frame) => isset($frame['event']) && $frame['event'] !== 'ping'));
    }

    public function close(): void
    {
        fclose($this->socket);
    }

    /** @return array<string, mixed>|null null: none came in this time */
    private function read(float $seconds): ?array
    {
        if (! $this->readUntil(fn () => $this->frameSize() !== null, $seconds)) {
            return null;
        }
        [$head, $length] = $this->frameSize() ?? throw new \LogicException;
        $opcode = ord($this->buffer[0]) & 0x0F;
        $text = substr($this->buffer, $head, $length);
        $this->buffer = substr($this->buffer, $head + $length);
        if ($opcode === 0x8) {
            throw new \RuntimeException('closed: '.unpack('n', $text)[1].' '.substr($text, 2));
        }

        return $opcode === 0x1 ? json_decode($text, true, flags: JSON_THROW_ON_ERROR) : [];
    }

    /** @return array{int, int}|null header and payload, where all of it is there */
    private function frameSize(): ?array
    {
        if (strlen($this->buffer) < 2) {
            return null;
        }
        $length = ord($this->buffer[1]) & 0x7F;
        $head = match ($length) {
            126 => 4, 127 => 10, default => 2
        };
        if (strlen($this->buffer) < $head) {
            return null;
        }
        if ($head > 2) {
            $length = unpack($head === 4 ? 'n' : 'J', substr($this->buffer, 2))[1];
        }

        return strlen($this->buffer) >= $head + $length ? [$head, $length] : null;
    }

    private function readUntil(\Closure $condition, float $seconds): bool
    {
        $end = microtime(true) + $seconds;
        while (! $condition()) {
            $left = $end - microtime(true);
            if ($left <= 0) {
                return false;
            }
            $read = [$this->socket];
            $none = null;
            if (stream_select($read, $none, $none, (int) $left, (int) (fmod($left, 1) * 1e6)) > 0) {
                $bytes = fread($this->socket, 65536);
                if ($bytes === '' || $bytes === false) {
                    if (feof($this->socket)) {
                        throw new \RuntimeException('the connection was lost');
                    }

                    continue;
                }
                $this->buffer .= $bytes;
            }
        }

        return true;
    }
}
