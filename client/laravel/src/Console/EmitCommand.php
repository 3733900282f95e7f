<?php

declare(strict_types=1);

namespace Msab\Laravel\Console;

use Illuminate\Console\Command;
use Msab\Laravel\Contract\Checker;
use Msab\Laravel\Contract\CustomEvent;
use Msab\Laravel\Contract\RelayEvent;
use Msab\Laravel\Events\Catalog;
use Msab\Laravel\Exceptions\InvalidEvent;
use Msab\Laravel\Exceptions\RelayException;
use Msab\Laravel\Msab;
use Msab\Laravel\PendingEmit;
use Msab\Laravel\Relay;

/** Emits one event by hand, and shows the relay's answer. */
final class EmitCommand extends Command
{
    protected $signature = 'msab:emit
        {event : its name: balance.updated}
        {data={} : its data as JSON, in the contract\'s keys}
        {--user=* : to this user; several: to each of them}
        {--room= : to this room}
        {--everyone : to everyone}
        {--id= : the event\'s id; a second emit with it changes nothing}
        {--connection= : as in msab.connections}';

    protected $description = 'Emit an event to the relay, at once: msab:emit balance.updated \'{"user_id":42,"coins":"1"}\'';

    public function handle(Msab $msab): int
    {
        $relay = $msab->connection($this->text('connection'));
        try {
            $pending = $this->target($relay);
            $id = $this->text('id');
            $result = ($id === null ? $pending : $pending->id($id))->emitNow($this->relayEvent());
        } catch (InvalidEvent $exception) {
            return $this->refused($exception->eventName, $exception->violations);
        } catch (RelayException $exception) {
            $this->components->error($exception->getMessage());

            return $this->refused($this->eventName(), $exception->violations());
        }
        $this->components->info("{$this->eventName()} was accepted by {$relay->transport()->name()}.");
        foreach (get_object_vars($result) as $name => $value) {
            $this->components->twoColumnDetail($name, is_bool($value) ? var_export($value, true) : (string) $value);
        }

        return self::SUCCESS;
    }

    private function target(Relay $relay): PendingEmit
    {
        $users = (array) $this->option('user');
        $room = $this->text('room');

        return match (true) {
            (bool) $this->option('everyone') => $relay->toEveryone(),
            $room !== null && count($users) === 1 => $relay->toUserInRoom($users[0], $room),
            $room !== null => $relay->toRoom($room),
            $users !== [] => $relay->toUsers($users),
            default => new PendingEmit($relay),
        };
    }

    private function eventName(): string
    {
        $name = $this->argument('event');

        return is_string($name) ? $name : '';
    }

    private function text(string $option): ?string
    {
        $value = $this->option($option);

        return is_string($value) && $value !== '' ? $value : null;
    }

    /** @throws InvalidEvent */
    private function relayEvent(): RelayEvent
    {
        $name = $this->eventName();
        $data = $this->argument('data');
        $data = json_decode(is_string($data) ? $data : '', true);
        if (! is_array($data)) {
            throw InvalidEvent::because($name, 'data', 'is no JSON object: '.json_last_error_msg());
        }
        $class = Catalog::EVENTS[$name] ?? null;
        if ($class === null) {
            return new CustomEvent($name, $data);
        }
        $check = new Checker;
        $event = $class::fromArray($data, $check);
        $violations = $check->violations();

        return $violations === [] ? $event : throw new InvalidEvent($name, $violations);
    }

    /** @param  list<\Msab\Laravel\Contract\Violation>  $violations */
    private function refused(string $name, array $violations): int
    {
        if ($violations !== []) {
            $this->components->error("$name breaks the contract:");
            $this->components->bulletList(array_map(strval(...), $violations));
        }

        return self::FAILURE;
    }
}
