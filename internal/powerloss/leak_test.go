package powerloss
import ("testing";"os";"fmt";"database/sql";"context")
func TestLeak(t *testing.T) {
	count := func() int { es, _ := os.ReadDir("/proc/self/fd"); return len(es) }
	for _, mode := range []string{"wal1","wal2","wal2close-reader-first", "conn-stmt", "conn-stmt-closed"} {
		for range 3 {
		dir := t.TempDir()
		b := count()
		w, _ := sql.Open("sqlite", "file:"+dir+"/a.db?_journal_mode=WAL")
		w.SetMaxOpenConns(1)
		ctx := context.Background()
		if _, err := w.Exec("create table t(a)"); err != nil { t.Fatal(err) }
		if mode == "wal1" { w.Close(); fmt.Println(mode, count()-b); continue }
		r, _ := sql.Open("sqlite", "file:"+dir+"/a.db?_query_only=1")
		var n int
		r.QueryRow("select count(*) from t").Scan(&n)
		if mode == "wal2" { w.Close(); r.Close() }
		if mode == "wal2close-reader-first" { r.Close(); w.Close() }
		if mode[:4] == "conn" {
			c, _ := w.Conn(ctx)
			st, err := c.PrepareContext(ctx, "insert into t values (1)")
			if err != nil { t.Fatal(err) }
			st.Exec()
			if mode == "conn-stmt-closed" { st.Close() }
			c.Close()
			r.Close(); w.Close()
		}
		fmt.Println(mode, count()-b)
		}
	}
}
