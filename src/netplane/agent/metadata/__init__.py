"""What machines ask about themselves at http://169.254.169.254, in the formats of EC2 and of OpenStack.

```
 machine ─▶ http ─┬─▶ documents ─▶ openstack │ ec2     read off `facts`: what the slice knows of the machine
                  └─▶ nova                             or, if the operator has said where, Nova's own answer
```
"""
