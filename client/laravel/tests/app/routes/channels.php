<?php

use App\Models\User;
use Illuminate\Support\Facades\Broadcast;

Broadcast::channel('App.Models.User.{id}', fn (User $user, int $id) => $user->id === $id);
Broadcast::channel('room.{id}', fn (User $user, string $id) => true);
Broadcast::channel('orders.{id}', fn (User $user, int $id) => $id % 2 === 1);
