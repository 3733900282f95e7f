<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

/** What became of an accepted event. Nobody online is a success: the event waits for them. */
final readonly class EmitResult
{
    /**
     * @param  string  $eventId  the one given, or the one that was made
     * @param  string  $cursor  the event's place in the stream; the head where it has none of its own
     * @param  bool  $duplicate  accepted before; everything else is the first result
     * @param  bool  $superseded  a state that happened later had been accepted already: not delivered
     * @param  bool  $expired  past its ttl on arrival: not delivered
     * @param  int  $usersTargeted  distinct users named; of a room its participants; of everyone who
     *                              is online
     * @param  int  $usersOnline  of these, with at least one connection that gets the event
     * @param  int  $connections  their connections that get it
     */
    public function __construct(
        public string $eventId,
        public string $cursor = '',
        public bool $duplicate = false,
        public bool $superseded = false,
        public bool $expired = false,
        public int $usersTargeted = 0,
        public int $usersOnline = 0,
        public int $connections = 0,
    ) {}

    /**
     * Of the parts of one emit: counts added up, the last cursor.
     *
     * @param  list<self>  $parts
     */
    public static function sum(string $eventId, array $parts): self
    {
        $all = fn (string $flag): bool => $parts !== [] && ! in_array(false, array_column($parts, $flag), true);

        return new self(
            $eventId,
            $parts === [] ? '' : $parts[count($parts) - 1]->cursor,
            $all('duplicate'),
            $all('superseded'),
            $all('expired'),
            (int) array_sum(array_column($parts, 'usersTargeted')),
            (int) array_sum(array_column($parts, 'usersOnline')),
            (int) array_sum(array_column($parts, 'connections')),
        );
    }
}
