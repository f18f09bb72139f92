package powerloss

// Promised is what the world had been told by a moment.
type Promised struct {
	Acknowledged []string    // events that were acknowledged
	Settled      []Operation // deliveries that were told to be delivered or dead
	Sent         []string    // deliveries that had gone out
}

// Start is what a router began with: a disk, and what the world had been told. Its zero value is an empty disk.
type Start struct {
	Image    Image
	Promised Promised
}

// moment is a state of the disk while operations are replayed.
type moment struct {
	disk     *disk
	after    Operation // the newest on the disk
	number   int       // of it, from 1
	promised Promised
}

// replay carries out operations from a start and calls each between any two on the disk, when all was told that is told
// between them.
func replay(from Start, operations []Operation, each func(moment) error) error {
	now := moment{disk: from.Image.disk(), promised: from.Promised}
	for _, o := range operations {
		switch o.Kind {
		case Acknowledge:
			now.promised.Acknowledged = append(now.promised.Acknowledged, o.ID)
		case Delivered, Dead:
			now.promised.Settled = append(now.promised.Settled, o)
		case Send:
			now.promised.Sent = append(now.promised.Sent, o.ID)
		default:
			if now.number > 0 {
				if err := each(now); err != nil {
					return err
				}
			}
			if err := now.disk.carryOut(o); err != nil {
				return err
			}
			now.after = o
			now.number++
		}
	}
	if now.number == 0 {
		return nil
	}
	return each(now)
}
