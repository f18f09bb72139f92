package condition

import "time"

// ReadTime reads a time as date() does: one without a zone is in the zone given, a date the start of that day.
func ReadTime(text string, zone *time.Location) (time.Time, error) { return parseMoment(text, zone) }
