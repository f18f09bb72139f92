package rulefile

// expression checks that a key which takes an expression does not say "": nothing could be judged by that.
func (c *checker) expression(key string, text Text) {
	if text.Value == "" && text.node != nil && text.node.Tag == "!!str" { // else it is no text, which has been told
		c.at(text.anchored, "bad-value", key+" is empty; an expression belongs here")
	}
}
