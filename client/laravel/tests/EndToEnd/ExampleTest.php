<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use App\Events;
use App\Models\Agency;
use App\Models\AgencyInvitation;
use App\Models\AgencyJoinRequest;
use App\Models\Badge;
use App\Models\IncomeTarget;
use App\Models\Reward;
use App\Models\Room;
use App\Models\User;
use Illuminate\Support\Facades\DB;
use Msab\Laravel\Tests\RelayTestCase;

/** The example application: each of the requirement's triggers, through a worker and the relay, to a socket. */
final class ExampleTest extends RelayTestCase
{
    public function test_every_trigger_of_the_requirement_reaches_its_audience(): void
    {
        $owner = User::create(['id' => 41, 'name' => 'Owner', 'coins' => 5]);
        $user = User::create(['id' => 42, 'name' => 'Ann', 'coins' => 1500, 'avatar' => 'https://x/ann.png']);
        $agency = Agency::create(['name' => 'Stars', 'owner_id' => $owner->id]);
        $request = AgencyJoinRequest::create(['agency_id' => $agency->id, 'user_id' => $user->id, 'message' => 'Hi']);
        $invitation = AgencyInvitation::create(['agency_id' => $agency->id, 'user_id' => $user->id, 'inviter_id' => $owner->id]);
        $badge = Badge::create(['name' => 'Rich', 'image_url' => 'https://x/rich.png', 'category' => 'wealth']);
        $reward = Reward::create(['type' => 'coins', 'amount' => '500', 'description' => 'Daily']);
        $target = IncomeTarget::create(['tier' => 3, 'reward_coins' => 900]);
        $room = Room::create(['id' => 7, 'name' => 'Lobby', 'level' => 4, 'xp' => 120]);
        $agencyData = ['agency_id' => $agency->id, 'agency_name' => 'Stars'];
        $balance = fn (int $id, string $coins) => ['user_id' => $id, 'coins' => $coins];
        $expected = [
            [new Events\CoinsPurchased($user, 100), $user, 'balance.updated', $balance(42, '1500')],
            [new Events\GiftSent($user, [$owner]), $owner, 'balance.updated', $balance(41, '5')],
            [new Events\RewardClaimed($user, $reward), $user, 'balance.updated', $balance(42, '1500')],
            [new Events\RewardEarned($user, $reward), $user, 'reward.earned', ['user_id' => 42, 'reward' => ['id' => $reward->id, 'type' => 'coins', 'amount' => '500', 'description' => 'Daily']]],
            [new Events\BadgeEarned($user, $badge), $user, 'badge.earned', ['user_id' => 42, 'badge' => ['id' => $badge->id, 'name' => 'Rich', 'image_url' => 'https://x/rich.png', 'category' => 'wealth']]],
            [new Events\IncomeTargetCompleted($user, $target), $user, 'income_target.completed', ['user_id' => 42, 'target' => ['id' => $target->id, 'tier' => 3, 'reward_coins' => '900']]],
            [new Events\RoomLeveledUp($room), $user, 'room.level_up', ['room_id' => 7, 'new_level' => 4, 'new_room_xp' => '120']],
            [new Events\UserInvitedToAgency($invitation), $user, 'agency.invitation', ['invitation_id' => $invitation->id, 'agency' => ['id' => $agency->id, 'name' => 'Stars', 'logo' => null], 'invited_by' => ['id' => 41, 'name' => 'Owner']]],
            [new Events\AgencyJoinRequested($request), $owner, 'agency.join_request', ['request_id' => $request->id, 'user' => ['id' => 42, 'name' => 'Ann', 'avatar' => 'https://x/ann.png'], 'message' => 'Hi']],
            [new Events\AgencyJoinRequestApproved($request), $user, 'agency.join_request_approved', $agencyData],
            [new Events\AgencyJoinRequestRejected($request), $user, 'agency.join_request_rejected', $agencyData],
            [new Events\AgencyMemberKicked($agency, $user, 'spam'), $user, 'agency.member_kicked', $agencyData + ['reason' => 'spam']],
            [new Events\AgencyDissolved($agency, [41, 42]), $user, 'agency.dissolved', $agencyData],
            [new Events\ConfigUpdated('levels', 'v2'), $owner, 'config:invalidate', ['type' => 'levels', 'version' => 'v2']],
            [new Events\AssetsUpdated(['a.png']), $owner, 'asset:invalidate', ['asset_ids' => ['a.png']]],
        ];
        $clients = [41 => $this->relay->connect(41), 42 => $this->relay->connect(42, ['7'])];
        $this->startWorker();

        foreach ($expected as [$event, $audience, $name, $data]) {
            DB::transaction(fn () => event($event));
            $this->assertEquals($data, $clients[$audience->id]->next($name, 20)['data'], $name);
        }
    }

    public function test_nothing_of_a_rolled_back_transaction_reaches_anybody(): void
    {
        $user = User::create(['id' => 42, 'name' => 'Ann', 'coins' => 1]);
        $client = $this->relay->connect(42);
        $this->startWorker();
        DB::beginTransaction();
        event(new Events\CoinsPurchased($user, 100));
        DB::rollBack();
        event(new Events\ConfigUpdated('all'));

        $client->next('config:invalidate', 20);
        // The event may arrive before the relay has counted it, but the worker's answer doesn't.
        $this->untilQueueIsEmpty();
        $this->assertSame(1.0, $this->relay->metric('msab_emits_accepted_total'));
    }
}
