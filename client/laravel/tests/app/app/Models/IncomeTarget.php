<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

class IncomeTarget extends Model
{
    protected $guarded = [];
}
