package rulefile

// once checks what keeps a rule from firing, or from sending.
func (c *checker) once(r *Rule) {
	if r.Disabled.Value && r.Shadow.Value {
		c.at(r.Shadow.anchored, "no-effect", "a rule that is disabled is not judged at all; shadow has no effect").Warning = true
	}
	if !r.OncePer.IsSet() {
		return
	}
	c.expression("once_per", r.OncePer)
	for _, step := range r.Then {
		switch {
		case step.Upsert.IsSet():
			c.warn(step.Upsert.anchored, "once-per-sync", "once_per keeps newer versions of an entry from a row that was written once; leave it out of a rule that syncs")
		case step.At.IsSet() && len(r.Then) > 1:
			c.warn(step.At.anchored, "once-per-reminder", "once another step of this rule was sent, once_per keeps a newer version from moving this reminder, and the old one is cancelled; give the reminder a rule of its own")
		}
	}
}

func (c *checker) warn(where anchored, code, message string) {
	c.at(where, code, message).Warning = true
}
