<?php

declare(strict_types=1);

namespace Msab\Laravel\Broadcasting;

use Illuminate\Support\Str;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Exceptions\InvalidEvent;

/** Which of the relay's audiences a channel of Laravel's is. */
final class ChannelMap
{
    private const PREFIXES = ['private-', 'presence-'];

    /** @var list<string> regular expressions with the group `id` */
    private readonly array $users;

    /** @var list<string> */
    private readonly array $rooms;

    /**
     * @param  list<string>  $userPatterns  channels that are one user: `App.Models.User.{id}`
     * @param  list<string>  $roomPatterns  channels that are one room, named by the id alone: `room.{id}`
     *
     * @throws \InvalidArgumentException where one hasn't exactly one placeholder
     */
    public function __construct(array $userPatterns, array $roomPatterns)
    {
        $this->users = array_map(self::expression(...), $userPatterns);
        $this->rooms = array_map(self::expression(...), $roomPatterns);
    }

    /**
     * All users that are named get it together, in one emit; each room and everyone in one of its own.
     *
     * @param  iterable<string|\Stringable>  $channels
     * @return list<Target>
     *
     * @throws InvalidEvent
     */
    public function targets(iterable $channels): array
    {
        $users = [];
        $others = [];
        foreach ($channels as $channel) {
            $target = $this->target((string) $channel);
            if ($target->userIds !== []) {
                array_push($users, ...$target->userIds);
            } else {
                $others[$target->text()] = $target;
            }
        }

        return array_values(array_filter([Target::users($users), ...array_values($others)], fn (Target $target) => ! $target->isEmpty()));
    }

    /** @throws InvalidEvent */
    public function target(string $channel): Target
    {
        if (str_starts_with($channel, 'private-encrypted-')) {
            throw InvalidEvent::because($channel, 'channel', 'is end-to-end encrypted, which the relay\'s clients can\'t read: use a private channel');
        }
        $name = Str::chopStart($channel, self::PREFIXES);
        if (($id = self::match($this->users, $name)) !== null) {
            return Target::user($id);
        }
        if (($id = self::match($this->rooms, $name)) !== null) {
            return Target::room($id);
        }

        return $channel === 'everyone' ? Target::everyone() : Target::room($channel);
    }

    /** @param  list<string>  $expressions */
    private static function match(array $expressions, string $name): ?string
    {
        foreach ($expressions as $expression) {
            if (preg_match($expression, $name, $match) === 1) {
                return $match['id'];
            }
        }

        return null;
    }

    /** @throws \InvalidArgumentException */
    private static function expression(string $pattern): string
    {
        $parts = preg_split('/\{[^{}]+\}/', $pattern) ?: [];
        if (count($parts) !== 2) {
            throw new \InvalidArgumentException("msab.broadcasting: the pattern \"$pattern\" must have one placeholder, as user.{id} has: what stands there is the id");
        }

        return '/^'.preg_quote($parts[0], '/').'(?<id>[^.]+)'.preg_quote($parts[1], '/').'$/D';
    }
}
