<?php

use App\Events\AgencyDissolved;
use App\Events\CoinsPurchased;
use App\Models\Agency;
use App\Models\User;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Process;
use Illuminate\Support\Facades\Route;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;

Route::post('/users/{user}/purchases', function (Request $request, int $user) {
    $coins = DB::transaction(function () use ($request, $user) {
        $user = User::query()->lockForUpdate()->findOrFail($user);
        $user->increment('coins', $request->integer('coins'));
        CoinsPurchased::dispatch($user, $request->integer('coins'));
        abort_if($request->boolean('fails'), 402, 'The bank said no.');

        return $user->coins;
    });

    return ['coins' => $coins];
});

Route::delete('/agencies/{agency}', function (int $agency) {
    DB::transaction(function () use ($agency) {
        $agency = Agency::query()->findOrFail($agency);
        $members = $agency->members()->pluck('users.id')->all();
        $agency->members()->detach();
        $agency->delete();
        AgencyDissolved::dispatch($agency, $members);
    });

    return response()->noContent();
});

// What a page loads: its state, and the cursor from before it was read.
Route::get('/users/{user}/bootstrap', fn (int $user) => [
    'cursor' => Msab::cursor(),
    'coins' => User::query()->findOrFail($user)->coins,
]);

// Waits for the answer, for as long as is said.
Route::post('/users/{user}/balance', fn (Request $request, int $user) => [
    'online' => Msab::toUser($user)->toOthers()
        ->emitNow(new BalanceUpdated(coins: (string) $request->input('coins')), $request->has('deadline') ? $request->float('deadline') : null)
        ->usersOnline,
    'transport' => Msab::connection()->transport()->name(),
]);

// A process of the system's between two emits, in one request.
Route::post('/users/{user}/process', function (int $user) {
    $before = Msab::toUser($user)->emitNow(new BalanceUpdated(coins: '1'));
    $output = trim(Process::run('echo hello')->output());
    $after = Msab::toUser($user)->emitNow(new BalanceUpdated(coins: '2'));

    return ['output' => $output, 'ids' => [$before->eventId, $after->eventId]];
});
