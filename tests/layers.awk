# Turns tests/layers.tsv into make variables: for each row its direct uses,
# the closure of them in link order (itself first), and what that links.
BEGIN { FS = "\t" }
/^#/ || NF < 2 { next }
{
	name[++n] = $2
	uses[$2] = $3
	links[$2] = $4
	if ($1 < 4)
		modules = modules " " $2
	else
		tools = tools " " $2
}
function walk(m,	u, i, k)
{
	if (m in seen)
		return
	seen[m] = 1
	k = split(uses[m], u, " ")
	for (i = 1; i <= k; i++) {
		if (!(u[i] in uses)) {
			print "layers.tsv: " m " uses unknown " u[i] >"/dev/stderr"
			exit 1
		}
		walk(u[i])
	}
	order = m " " order
	if (links[m] != "")
		linked = linked " " links[m]
}
END {
	for (i = 1; i <= n; i++) {
		m = name[i]
		split("", seen)
		order = linked = ""
		walk(m)
		print m "_USES := " uses[m]
		print m "_CLOSURE := " order
		print m "_LINKS := $(sort " linked ")"
		all = all " $(" m "_LINKS)"
	}
	print "MODULES :=" modules
	print "TOOLS :=" tools
	print "ALL_LINKS := $(sort" all ")"
}
