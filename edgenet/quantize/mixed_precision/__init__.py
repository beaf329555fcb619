"""Which layers stay in float: what each one's rounding costs, and the cheapest set within a drift budget."""
